"""What nobody has seen the service do: each unknown is a switch, and a client has to be right under every setting.

docs/assumptions.md explains them; a test keeps that page and this module the same. Defaults are what the documents
suggest; the recorded behaviour is not here because it is not in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, get_type_hints


class PatchDepth(StrEnum):
    """What a PATCH does below the top key it names."""

    REPLACES = "replaces"
    MERGES = "merges"


class EmptyList(StrEnum):
    """What `[]` in a PATCH means."""

    CLEARS = "clears"
    IGNORED = "ignored"


class IfMatchForm(StrEnum):
    """In which spelling `If-Match` is understood; another one never matches."""

    EITHER = "either"
    QUOTED = "quoted"
    BARE = "bare"
    NEITHER = "neither"


class NonEmptyPatch(StrEnum):
    """What a PATCH that needs an empty pool gets on one that is not."""

    OPERATION_INVALID_FOR_CURRENT_STATE = "operation-invalid-for-current-state"
    OPERATION_NOT_VALID_ON_POOL = "operation-not-valid-on-pool"
    POOL_BEING_RESIZED = "pool-being-resized"
    PROPERTY_CANNOT_BE_UPDATED = "property-cannot-be-updated"
    ACCEPTED_WITHOUT_EFFECT = "accepted-without-effect"


class Emptiness(StrEnum):
    """What the service takes for an empty pool."""

    NO_NODES_AND_STEADY = "no-nodes-and-steady"
    NO_NODES = "no-nodes"
    NO_NODES_STEADY_AND_NO_AUTOSCALE = "no-nodes-steady-and-no-autoscale"


class EvaluationEtag(StrEnum):
    """Whether an autoscale evaluation that changes the targets changes the ETag."""

    KEPT = "kept"
    MOVED = "moved"


class MetadataLimit(StrEnum):
    """How much pool metadata is taken."""

    NONE = "none"
    VALUE_256 = "value-256"
    TOTAL_1024 = "total-1024"
    REFUSED = "refused"


class AuthenticationFailure(StrEnum):
    """The status of AuthenticationFailed."""

    FORBIDDEN = "403"
    UNAUTHORIZED = "401"


class ResizeOfAutoscale(StrEnum):
    """The code of the 409 that a resize of an autoscale pool gets."""

    OPERATION_INVALID_FOR_CURRENT_STATE = "operation-invalid-for-current-state"
    OPERATION_NOT_VALID_ON_POOL = "operation-not-valid-on-pool"


class Answer(StrEnum):
    """Whether a request that may not fit the pool's state is let through."""

    REFUSED = "refused"
    ACCEPTED = "accepted"


class Survival(StrEnum):
    """Whether something outlives a change."""

    SURVIVES = "survives"
    VANISHES = "vanishes"


class UnknownKey(StrEnum):
    """What a key the api-version does not know gets in a request body."""

    REJECTED = "rejected"
    IGNORED = "ignored"


class Spelling(StrEnum):
    """How an Azure resource id is given back."""

    AS_SENT = "as-sent"
    LOWER_CASE = "lower-case"


class Order(StrEnum):
    """In which order NAT pools and their rules are given back."""

    KEPT = "kept"
    SORTED = "sorted"


class WaitingNodes(StrEnum):
    """What becomes of nodes still waiting for their tasks when the resize timeout is reached."""

    STAY = "stay"
    LEAVE_LATER = "leave-later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """One setting of everything unknown. Field names with dashes are the names on the command line."""

    patch_depth: PatchDepth = PatchDepth.REPLACES
    empty_list: EmptyList = EmptyList.CLEARS
    if_match_form: IfMatchForm = IfMatchForm.EITHER
    non_empty_patch: NonEmptyPatch = NonEmptyPatch.OPERATION_INVALID_FOR_CURRENT_STATE
    emptiness: Emptiness = Emptiness.NO_NODES_AND_STEADY
    evaluation_etag: EvaluationEtag = EvaluationEtag.KEPT
    metadata_limit: MetadataLimit = MetadataLimit.NONE
    authentication_failure: AuthenticationFailure = AuthenticationFailure.FORBIDDEN
    resize_of_autoscale: ResizeOfAutoscale = ResizeOfAutoscale.OPERATION_INVALID_FOR_CURRENT_STATE
    enable_autoscale_while_resizing: Answer = Answer.REFUSED
    stop_resize_when_steady: Answer = Answer.REFUSED
    legacy_mapping_after_patch: Survival = Survival.SURVIVES
    legacy_mapping_after_scale_from_zero: Survival = Survival.SURVIVES
    unknown_key: UnknownKey = UnknownKey.REJECTED
    resource_id_spelling: Spelling = Spelling.AS_SENT
    nat_pool_order: Order = Order.KEPT
    nodes_waiting_at_resize_timeout: WaitingNodes = WaitingNodes.STAY
    shared_key_with_subnet: Answer = Answer.REFUSED

    def with_setting(self, setting: str) -> Assumptions:
        """These assumptions with one `name=value` changed; dashes and underscores in the name are the same.

        Raises:
            ValueError: no such assumption, or no such value of it.
        """
        name, separator, value = setting.partition("=")
        switches = switch_types()
        field = name.strip().replace("-", "_")
        if not separator or field not in switches:
            raise ValueError(f"{setting!r} is not NAME=VALUE with NAME one of {', '.join(sorted(switches))}")
        choices = [member.value for member in switches[field]]
        if value not in choices:
            raise ValueError(f"assumption {field} is one of {', '.join(choices)}, not {value!r}")
        settings: dict[str, Any] = {field: switches[field](value)}
        return replace(self, **settings)

    def as_settings(self) -> dict[str, str]:
        """Every assumption and its value, as the command line and the control endpoint spell them."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def switch_types() -> dict[str, type[StrEnum]]:
    """The closed set behind every assumption, by its name."""
    return dict(get_type_hints(Assumptions))
