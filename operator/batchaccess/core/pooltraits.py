"""What a pool shows beside its network that says how well it is protected; read for audits only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccount:
    """A user that the pool creates on every node (REST document "UserAccount")."""

    name: str
    admin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTraits:
    """Protection of the nodes of a pool. None means that the pool's description does not say."""

    user_accounts: tuple[UserAccount, ...] = ()
    trusted_launch: bool | None = None
    """Whether nodes start with Trusted Launch or as confidential machines, with secure boot and vTPM."""
    encryption_at_host: bool | None = None


UNKNOWN_TRAITS = PoolTraits()
