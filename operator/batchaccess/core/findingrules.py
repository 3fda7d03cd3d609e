"""The rules of an audit, each with its name, its source and what to do. No policy is needed: these are sane defaults.

Exposure is what the Internet reaches, Undetermined what nobody can tell, Advice what the Batch security article
recommends and a pool shows not to have.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FindingKind(StrEnum):
    """What a finding means for the outcome of an audit."""

    EXPOSURE = "Exposure"
    UNDETERMINED = "Undetermined"
    ADVICE = "Advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a rule comes from."""

    title: str
    url: str | None


_SECURITY_TITLE: Final = "Batch security and compliance best practices"
_SECURITY_URL: Final = "https://learn.microsoft.com/azure/batch/security-best-practices"
_REMOTE_ACCESS: Final = Citation(
    title=f"{_SECURITY_TITLE}: Limit remote access to pool nodes",
    url=f"{_SECURITY_URL}#limit-remote-access-to-pool-nodes",
)
_ENDPOINTS: Final = Citation(
    title="Configure remote access to compute nodes in an Azure Batch pool",
    url="https://learn.microsoft.com/azure/batch/pool-endpoint-configuration",
)
_CUT_OVER: Final = Citation(
    title="Azure/Batch issue 182: no default SSH or RDP mapping", url="https://github.com/Azure/Batch/issues/182"
)
_GUARDRAILS: Final = Citation(title="spec.guardrails of the BatchAccountConnection", url=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRule:
    """A kind of finding, by a stable name."""

    id: str
    kind: FindingKind
    title: str
    remedy: str
    citation: Citation


_DECLARE: Final = "declare who may reach it in a BatchPoolAccessPolicy; an endpoint without rules admits everyone"

LOGIN_PORT_OPEN: Final = FindingRule(
    id="LoginPortOpenToInternet",
    kind=FindingKind.EXPOSURE,
    title="A login port is open to the Internet",
    remedy=_DECLARE,
    citation=_REMOTE_ACCESS,
)
ENDPOINT_OPEN: Final = FindingRule(
    id="EndpointOpenToInternet",
    kind=FindingKind.EXPOSURE,
    title="An endpoint is open to the Internet",
    remedy=_DECLARE,
    citation=_ENDPOINTS,
)
IMPLICIT_MAPPING: Final = FindingRule(
    id="ImplicitMappingOpenToInternet",
    kind=FindingKind.EXPOSURE,
    title="The service itself mapped a login port, for everyone",
    remedy=(
        "recreate the pool: those made since 2025-12-01 map nothing by themselves, and no change of the configuration "
        "is known to take the mapping away; until then deny the port in the network security group of the subnet"
    ),
    citation=_CUT_OVER,
)
GUARDRAIL_BROKEN: Final = FindingRule(
    id="GuardrailViolated",
    kind=FindingKind.EXPOSURE,
    title="A port that the connection forbids is not closed to the Internet",
    remedy="close the port, or take it out of spec.guardrails.forbidInternetPorts",
    citation=_GUARDRAILS,
)
REACH_UNDETERMINED: Final = FindingRule(
    id="ReachabilityUndetermined",
    kind=FindingKind.UNDETERMINED,
    title="Whether the Internet reaches an endpoint cannot be told",
    remedy="allow addresses instead of service tags, and end the rules with a Deny for *",
    citation=_ENDPOINTS,
)
IMPLICIT_MAPPING_UNKNOWN: Final = FindingRule(
    id="ImplicitMappingUnknown",
    kind=FindingKind.UNDETERMINED,
    title="The pool is old enough for a login port mapped by the service, and no node was seen",
    remedy=(
        "look again when the pool has nodes, hand in its saved nodes with --nodes, or recreate it: pools made since "
        "2025-12-01 map nothing by themselves"
    ),
    citation=_CUT_OVER,
)
PUBLIC_ADDRESSES_UNUSED: Final = FindingRule(
    id="PublicAddressesWithoutNeed",
    kind=FindingKind.ADVICE,
    title="The pool has public IP addresses though nobody on the Internet may reach it",
    remedy=(
        "provision it without public IP addresses (NoPublicIPAddresses, which needs a subnet), unless its nodes need "
        "them to reach out"
    ),
    citation=Citation(
        title=f"{_SECURITY_TITLE}: Create pools without public IP addresses",
        url=f"{_SECURITY_URL}#create-pools-without-public-ip-addresses",
    ),
)
NO_SUBNET: Final = FindingRule(
    id="NoSubnet",
    kind=FindingKind.ADVICE,
    title="The pool is in no subnet of yours",
    remedy="create it in a subnet of a virtual network, whose network security group you decide",
    citation=Citation(
        title=f"{_SECURITY_TITLE}: Create pools in virtual networks",
        url=f"{_SECURITY_URL}#create-pools-in-virtual-networks",
    ),
)
USER_ACCOUNTS: Final = FindingRule(
    id="UserAccounts",
    kind=FindingKind.ADVICE,
    title="The pool creates users on every node",
    remedy="let tasks run as auto-users; without users on the nodes nobody can log in, open port or not",
    citation=_REMOTE_ACCESS,
)
TRUSTED_LAUNCH_OFF: Final = FindingRule(
    id="TrustedLaunchOff",
    kind=FindingKind.ADVICE,
    title="Nodes do not start with Trusted Launch, secure boot and vTPM",
    remedy="set securityProfile.securityType to trustedLaunch, with secureBootEnabled and vTpmEnabled",
    citation=Citation(title=f"{_SECURITY_TITLE}: Pool configuration", url=f"{_SECURITY_URL}#pool-configuration"),
)
ENCRYPTION_AT_HOST_OFF: Final = FindingRule(
    id="EncryptionAtHostOff",
    kind=FindingKind.ADVICE,
    title="Disks of the nodes are not encrypted at the host",
    remedy="set securityProfile.encryptionAtHost, on a size of machine that can",
    citation=Citation(title=f"{_SECURITY_TITLE}: Pool configuration", url=f"{_SECURITY_URL}#pool-configuration"),
)
SHARED_KEY: Final = FindingRule(
    id="SharedKeyAuthentication",
    kind=FindingKind.ADVICE,
    title="The account is used with a shared key",
    remedy="use Microsoft Entra ID, and restrict the account's allowedAuthenticationModes to AAD",
    citation=Citation(
        title=f"{_SECURITY_TITLE}: Batch account authentication",
        url=f"{_SECURITY_URL}#batch-account-authentication",
    ),
)
RULES: Final = (
    LOGIN_PORT_OPEN,
    ENDPOINT_OPEN,
    IMPLICIT_MAPPING,
    GUARDRAIL_BROKEN,
    REACH_UNDETERMINED,
    IMPLICIT_MAPPING_UNKNOWN,
    PUBLIC_ADDRESSES_UNUSED,
    NO_SUBNET,
    USER_ACCOUNTS,
    TRUSTED_LAUNCH_OFF,
    ENCRYPTION_AT_HOST_OFF,
    SHARED_KEY,
)
"""Every rule, most important first."""
