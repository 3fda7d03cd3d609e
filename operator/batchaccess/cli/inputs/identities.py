"""Secrets from the environment: account keys for --endpoint, and what a connection's secretRef stands for.

Secrets are never options, which every user of the machine can read in the list of processes.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from batchaccess.core.declared import (
    AccountConnection,
    Auth,
    AuthType,
    SecretRef,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

SHARED_KEY_VARIABLE: Final = "BATCHACCESS_SHARED_KEY"
"""One key for every endpoint, or `ACCOUNT:KEY` pairs separated by white space."""

AZ_KEY_VARIABLE: Final = "AZURE_BATCH_ACCESS_KEY"
AZ_ACCOUNT_VARIABLE: Final = "AZURE_BATCH_ACCOUNT"
"""The variables of `az batch`; the key counts for the account of that name, for every endpoint if there is no name."""

_NOT_CREATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEY_OF_ACCOUNT: Final = "shared-key"


@dataclass(frozen=True, slots=True)
class EnvironmentKeys:
    """Account keys found in the environment. Their values never appear in `repr` or messages."""

    _by_account: Mapping[str, str]
    _for_all: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "EnvironmentKeys":
        """The keys of these variables; BATCHACCESS_SHARED_KEY goes before those of az.

        Raises:
            PortError: code `Invalid`, a key is not base64.
        """
        by_account: dict[str, str] = {}
        for_all = None
        az_key, az_account = environment.get(AZ_KEY_VARIABLE, "").strip(), environment.get(AZ_ACCOUNT_VARIABLE, "")
        if az_key:
            _check(az_key, AZ_KEY_VARIABLE)
            if az_account:
                by_account[az_account.strip().lower()] = az_key
            else:
                for_all = az_key
        for word in environment.get(SHARED_KEY_VARIABLE, "").split():
            account, colon, key = word.rpartition(":")
            _check(key, SHARED_KEY_VARIABLE)
            if colon:
                by_account[account.lower()] = key
            else:
                for_all = key
        return cls(by_account, for_all)

    def __repr__(self) -> str:
        return f"EnvironmentKeys(accounts={sorted(self._by_account)}, for_all={self._for_all is not None})"

    def of(self, account: str) -> str | None:
        """`ACCOUNT:KEY` for an account, None if there is no key for it."""
        key = self._by_account.get(account.lower(), self._for_all)
        return None if key is None else f"{account}:{key}"


def _check(key: str, variable: str) -> None:
    try:
        base64.b64decode(key, validate=True)
    except binascii.Error:
        raise PortError(
            ErrorKind.INVALID,
            "Invalid",
            f"{variable} holds no Batch account key, which is base64: copy it from the account's Keys page, or run "
            "`az batch account keys list`",
        ) from None


class EnvironmentSecrets:
    """Implements `azurebatch.secrets.SecretReader` on environment variables."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def read(self, name: str, key: str) -> str:
        """The value of the variable that stands for a key of a Secret.

        Raises:
            PortError: code `SecretNotFound`, it is not set; `Invalid`, an account key is not base64.
        """
        if key == _KEY_OF_ACCOUNT and (shared := EnvironmentKeys.read(self._environment).of(name)):
            return shared
        variable = secret_variable(name, key)
        value = self._environment.get(variable, "").strip()
        if not value:
            raise PortError(
                ErrorKind.DENIED,
                "SecretNotFound",
                f"set {variable} to the value of key {key!r} of Secret {name!r}, which only the cluster holds",
            )
        return value


def secret_variable(name: str, key: str) -> str:
    """The environment variable that stands for a key of a Secret: `BATCHACCESS_SECRET_PROD_WEU_VALUE`."""
    return "BATCHACCESS_SECRET_" + re.sub(r"[^A-Z0-9]+", "_", f"{name}_{key}".upper())


def with_environment_key(connection: AccountConnection, environment: Mapping[str, str]) -> AccountConnection:
    """A declared connection, led to the account's key of the environment where the value of its Secret is not there.

    Raises:
        PortError: code `Invalid`, a key in the environment is not base64.
    """
    auth, ref = connection.auth, connection.auth.secret_ref
    if auth.type is not AuthType.SHARED_KEY or ref is None or environment.get(secret_variable(ref.name, ref.key)):
        return connection
    host = urlsplit(connection.endpoint).hostname or ""
    keys = EnvironmentKeys.read(environment)
    for account in (host.partition(".")[0], connection.name):
        if keys.of(account) is not None:
            return replace(connection, auth=replace(auth, secret_ref=SecretRef(name=account, key=_KEY_OF_ACCOUNT)))
    return connection


def connection_to(account: str, endpoint: str, environment: Mapping[str, str]) -> AccountConnection:
    """A connection for an endpoint given by hand: with the key of the environment, else by the default chain.

    Raises:
        PortError: code `Invalid`, a key in the environment is not base64.
    """
    has_key = EnvironmentKeys.read(environment).of(account) is not None
    shared = Auth(type=AuthType.SHARED_KEY, secret_ref=SecretRef(name=account, key=_KEY_OF_ACCOUNT))
    return AccountConnection(
        name=account,
        uid="",
        generation=0,
        created=_NOT_CREATED,
        endpoint=endpoint,
        auth=shared if has_key else Auth(type=AuthType.WORKLOAD_IDENTITY),
    )
