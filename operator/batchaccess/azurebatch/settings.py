"""What the operator decides for all of its Batch accounts at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings:
    """How every account is spoken to."""

    allow_endpoint_suffixes: tuple[str, ...] = ()
    """Host suffixes, or whole hosts, allowed besides those of Azure; also what permits a loopback emulator."""

    ca_file: str | None = None
    """PEM file of certificate authorities trusted besides the system's, for Batch and for token endpoints."""

    authority_host: str | None = None
    """Who issues tokens for hosts of `allow_endpoint_suffixes`, which tell no cloud; absent means AZURE_AUTHORITY_HOST,
    and without that the public cloud's. For hosts of Azure it is always their own cloud's."""

    request_timeout_seconds: float = 30.0
    """Longest time for one request, token included; the service itself gives up after 30 seconds."""
