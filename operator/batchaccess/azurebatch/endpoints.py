"""Which hosts an account endpoint may name, and which identity cloud belongs to each.

Tokens and signatures are only ever sent to a host that passed `parse_endpoint`; the check is made on text, before any
connection or credential exists.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """An Azure cloud: where its Batch accounts live and who issues tokens for them.

    `scope` has a double slash because the service wants the audience with its trailing slash, and what is before
    `/.default` is the audience (azure-batch asks for the same).
    """

    name: str
    batch_suffix: str
    authority_host: str
    scope: str


PUBLIC: Final = Cloud(
    name="AzureCloud",
    batch_suffix="batch.azure.com",
    authority_host="https://login.microsoftonline.com",
    scope="https://batch.core.windows.net//.default",
)
CHINA: Final = Cloud(
    name="AzureChinaCloud",
    batch_suffix="batch.chinacloudapi.cn",
    authority_host="https://login.chinacloudapi.cn",
    scope="https://batch.chinacloudapi.cn//.default",
)
US_GOVERNMENT: Final = Cloud(
    name="AzureUSGovernment",
    batch_suffix="batch.usgovcloudapi.net",
    authority_host="https://login.microsoftonline.us",
    scope="https://batch.core.usgovcloudapi.net//.default",
)
CLOUDS: Final = (PUBLIC, CHINA, US_GOVERNMENT)
"""Endpoints of resources and authorities as the Azure CLI's cloud profiles list them."""

_DNS_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PORT_MAX: Final = 65535


class EndpointNotAllowedError(ValueError):
    """An endpoint is malformed or names a host that may not be sent credentials; the text says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A checked account endpoint: lower-case host, no path."""

    scheme: str
    host: str
    port: int
    cloud: Cloud

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash and without a default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host can only be this machine."""
        return is_loopback(self.host)

    @property
    def tells_its_cloud(self) -> bool:
        """Whether the host ends in a suffix of Azure; of hosts that were allowed besides nobody knows the cloud."""
        return self.host.endswith(f".{self.cloud.batch_suffix}")

    @property
    def account_name(self) -> str:
        """The Batch account's name: the first label of the host."""
        return self.host.partition(".")[0]

    def covers(self, url: str) -> bool:
        """Whether `url` leads to this very scheme, host and port; a link elsewhere must not be followed."""
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return False
        no_user = parts.username is None and parts.password is None
        return no_user and (parts.scheme, parts.hostname, port) == (self.scheme, self.host, self.port)


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine: `localhost`, a name below it, 127.0.0.0/8 or ::1."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def parse_endpoint(text: str, *, allow_suffixes: Iterable[str] = ()) -> Endpoint:
    """Check an account endpoint as written in a connection.

    Args:
        text: such as `https://account.region.batch.azure.com`.
        allow_suffixes: host suffixes, or whole hosts, allowed besides those of Azure; they belong to the public cloud.

    Raises:
        EndpointNotAllowedError: the text is no such URL, or its host is not allowed.
    """
    parts, port = _split(text)
    host = parts.hostname or ""
    _check_shape(parts, host, text)
    cloud = _cloud_of(host, allow_suffixes)
    if parts.scheme != "https" and not is_loopback(host):
        raise EndpointNotAllowedError(f"endpoint {text!r} must begin with https://; http is for loopback hosts only")
    return Endpoint(scheme=parts.scheme, host=host, port=port or _DEFAULT_PORTS[parts.scheme], cloud=cloud)


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise EndpointNotAllowedError(f"endpoint {text!r} is not a URL: {error}") from error
    if port is not None and not 0 < port <= _PORT_MAX:
        raise EndpointNotAllowedError(f"endpoint {text!r} has no valid port")
    return parts, port


def _check_shape(parts: SplitResult, host: str, text: str) -> None:
    if any(character.isspace() or not character.isprintable() for character in text):
        raise EndpointNotAllowedError(f"endpoint {text!r} must not contain white space or control characters")
    if parts.scheme not in _DEFAULT_PORTS:
        raise EndpointNotAllowedError(f"endpoint {text!r} must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise EndpointNotAllowedError("endpoint must not carry a user name or password")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "?" in text or "#" in text:
        raise EndpointNotAllowedError(f"endpoint {text!r} must be scheme and host only, without path or query")
    if not _is_ip(host) and not _DNS_NAME.fullmatch(host):
        raise EndpointNotAllowedError(f"endpoint {text!r} has no valid host name")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _cloud_of(host: str, allow_suffixes: Iterable[str]) -> Cloud:
    for cloud in CLOUDS:
        if host.endswith(f".{cloud.batch_suffix}"):
            return cloud
    for written in allow_suffixes:
        suffix = written.strip().lower().strip(".[]")
        if suffix and (host == suffix or (not _is_ip(suffix) and host.endswith(f".{suffix}"))):
            return PUBLIC
    known = ", ".join(f".{cloud.batch_suffix}" for cloud in CLOUDS)
    raise EndpointNotAllowedError(
        f"host {host!r} is no Batch account: it must end in one of {known}, "
        "or in a suffix that the operator was started with (--allow-endpoint-suffix)"
    )
