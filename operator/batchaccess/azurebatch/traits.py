"""From a pool's JSON to its traits. Only advice is made of them, so what cannot be read is taken as unsaid."""

from collections.abc import Mapping
from typing import Any, Final

from batchaccess.core.model import JsonObject
from batchaccess.core.pooltraits import PoolTraits, UserAccount

TRAIT_KEYS: Final = ("userAccounts", "virtualMachineConfiguration")
"""Every top-level key read here, beside those of `convert.POOL_KEYS`."""

_TRUSTED_TYPES: Final = frozenset({"trustedlaunch", "confidentialvm"})


def pool_traits(raw: JsonObject) -> PoolTraits:
    """The traits that a pool in the data plane's form shows (REST documents "UserAccount", "SecurityProfile")."""
    machine = raw.get("virtualMachineConfiguration")
    if not isinstance(machine, Mapping):
        return PoolTraits(user_accounts=_user_accounts(raw.get("userAccounts")))
    profile = _object(machine.get("securityProfile"))
    firmware = _object(profile.get("uefiSettings"))
    return PoolTraits(
        user_accounts=_user_accounts(raw.get("userAccounts")),
        trusted_launch=str(profile.get("securityType", "")).lower() in _TRUSTED_TYPES
        and firmware.get("secureBootEnabled") is True
        and firmware.get("vTpmEnabled") is True,
        encryption_at_host=profile.get("encryptionAtHost") is True,
    )


def _user_accounts(raw: Any) -> tuple[UserAccount, ...]:  # noqa: ANN401 any JSON
    found = [_object(account) for account in raw] if isinstance(raw, list) else []
    accounts = [
        UserAccount(name=account["name"], admin=str(account.get("elevationLevel", "")).lower() == "admin")
        for account in found
        if isinstance(account.get("name"), str)
    ]
    return tuple(sorted(accounts, key=lambda account: account.name))


def _object(value: Any) -> JsonObject:  # noqa: ANN401 any JSON
    return value if isinstance(value, Mapping) else {}
