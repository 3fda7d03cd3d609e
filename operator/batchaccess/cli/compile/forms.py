"""What a policy means as `networkConfiguration`, in the words of the data plane and of Azure Resource Manager."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from batchaccess.core.declared import AccessPolicy
from batchaccess.core.desired import desired_network
from batchaccess.core.limits import Violation, limit_violations
from batchaccess.core.model import Access, Network, Protocol, Provisioning
from batchaccess.core.wire import network_configuration_body

_NEW_POOL: Final = Network()
"""What the service makes of a pool whose network nobody configures."""

_ARM_KEYS: Final[Mapping[str, str]] = MappingProxyType({"inboundNATPools": "inboundNatPools"})
_ARM_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        key: MappingProxyType({word.value.lower(): word.value for word in words})
        for key, words in (("protocol", Protocol), ("access", Access), ("provision", Provisioning))
    }
)
"""Closed words as Resource Manager spells them (Microsoft.Batch/batchAccounts/pools, API version 2024-07-01)."""


def network_configuration(policy: AccessPolicy) -> dict[str, Any]:
    """The network of a new pool that is as the policy declares; what it does not declare is left out."""
    access = policy.access
    body = network_configuration_body(None, _NEW_POOL, desired_network(_NEW_POOL, access), access)
    public = access.public_addresses
    if public is not None:
        # Said although it may be the default: whoever reads the result need not know that.
        body.setdefault("publicIPAddressConfiguration", {"provision": public.provisioning.value.lower()})
    return body


def for_resource_manager(body: Any) -> Any:  # noqa: ANN401 any JSON
    """The same in the spelling of Resource Manager, as Bicep, ARM templates and Terraform's azapi take it."""
    if isinstance(body, list):
        return [for_resource_manager(each) for each in body]
    if not isinstance(body, Mapping):
        return body
    return {_ARM_KEYS.get(key, key): _arm_value(key, value) for key, value in body.items()}


def _arm_value(key: str, value: Any) -> Any:  # noqa: ANN401 any JSON
    if key in _ARM_WORDS and isinstance(value, str):
        return _ARM_WORDS[key].get(value, value)
    return for_resource_manager(value)


def open_questions(policy: AccessPolicy) -> tuple[Violation, ...]:
    """Why the service would refuse a new pool with nothing but this network."""
    return limit_violations(desired_network(_NEW_POOL, policy.access))
