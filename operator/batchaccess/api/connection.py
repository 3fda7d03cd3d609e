"""BatchAccountConnection as administrators write it."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from batchaccess.api import grammar
from batchaccess.api.envelope import ConnectionMetadata, Resource
from batchaccess.api.fields import (
    DnsLabel,
    EachOnce,
    Labels,
    ModeWord,
    PolicyPriority,
    PoolGlobs,
    Port,
    StrategyWord,
    Whole,
)
from batchaccess.api.rules import ApiModel, Violation, refuse
from batchaccess.core.declared import (
    AuthType,
    Mode,
    Strategy,
)

_UUID: Final = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_TYPES_WITH_SECRET: Final = frozenset({AuthType.CLIENT_SECRET, AuthType.SHARED_KEY})


def _account_endpoint(text: str) -> str:
    if not grammar.is_account_endpoint(text):
        raise refuse(
            "endpoint must be https:// and a host in lower case, such as https://myaccount.westeurope.batch.azure.com, "
            "without path or trailing slash (plain http only for localhost, 127.0.0.1 and [::1])"
        )
    return text


Endpoint: TypeAlias = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_account_endpoint)]


class SecretRefSpec(ApiModel):
    """A key of a Secret in the operator's own namespace."""

    name: Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
    key: Annotated[str, Field(max_length=253, pattern=r"^[0-9A-Za-z._-]+$")]


class AuthSpec(ApiModel):
    """How the operator proves who it is."""

    type: Annotated[AuthType, Field(strict=False)]
    client_id: Annotated[str, Field(max_length=36, pattern=_UUID)] | None = None
    tenant_id: Annotated[str, Field(max_length=253, pattern=r"^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$")] | None = None
    secret_ref: SecretRefSpec | None = None

    def violations(self) -> Iterator[Violation]:
        """Each type takes exactly the fields it uses."""
        needs_secret = self.type in _TYPES_WITH_SECRET
        if needs_secret and self.secret_ref is None:
            yield Violation((), f"secretRef is required with type {self.type}; name a Secret beside the operator")
        if not needs_secret and self.secret_ref is not None:
            yield Violation((), f"secretRef must be absent with type {self.type}, which needs no secret; remove it")
        if self.type is AuthType.CLIENT_SECRET and (self.client_id is None or self.tenant_id is None):
            yield Violation((), "clientId and tenantId are required with type ClientSecret")
        if self.type is AuthType.SHARED_KEY and not (self.client_id is None and self.tenant_id is None):
            yield Violation((), "clientId and tenantId must be absent with type SharedKey; remove them")


class RequestBudgetSpec(ApiModel):
    """A token bucket for requests to the account."""

    per_second: Annotated[Whole, Field(ge=1, le=1000)] = 10
    burst: Annotated[Whole, Field(ge=1, le=10000)] = 20


class NamespaceSelectorSpec(ApiModel):
    """Whose policies a grant is for."""

    names: Annotated[EachOnce[DnsLabel], Field(min_length=1, max_length=100)] | None = None
    match_labels: Labels | None = None
    all: bool = False

    def violations(self) -> Iterator[Violation]:
        """One way of selecting, never none or two."""
        if [self.names is not None, self.match_labels is not None, self.all].count(True) != 1:
            yield Violation((), "give exactly one of names, matchLabels and all: true")


class GrantSpec(ApiModel):
    """What policies of some namespaces may do."""

    namespaces: NamespaceSelectorSpec
    pools: Annotated[PoolGlobs, Field(min_length=1)] = Field(default_factory=lambda: ["*"])
    max_priority: PolicyPriority = 0
    modes: Annotated[EachOnce[ModeWord], Field(min_length=1, max_length=2)] = Field(
        default_factory=lambda: [Mode.AUDIT]
    )
    strategies: Annotated[EachOnce[StrategyWord], Field(min_length=1, max_length=2)] = Field(
        default_factory=lambda: [Strategy.WHEN_EMPTY]
    )


class GuardrailsSpec(ApiModel):
    """What holds for every pool of the account."""

    forbid_internet_ports: Annotated[EachOnce[Port], Field(max_length=100)] = Field(default_factory=list)


class ConnectionSpec(ApiModel):
    """One Azure Batch account and what may be done with it."""

    endpoint: Endpoint
    auth: AuthSpec
    sync_period_seconds: Annotated[Whole, Field(ge=10, le=86400)] = 60
    request_budget: RequestBudgetSpec = Field(default_factory=RequestBudgetSpec)
    max_concurrent_drains: Annotated[Whole, Field(ge=1, le=1000)] = 1
    grants: Annotated[list[GrantSpec], Field(max_length=50)] = Field(default_factory=list)
    guardrails: GuardrailsSpec = Field(default_factory=GuardrailsSpec)
    suspend: bool = False


class ConnectionResource(Resource):
    """A whole BatchAccountConnection."""

    kind: Literal["BatchAccountConnection"]
    metadata: ConnectionMetadata
    spec: ConnectionSpec
