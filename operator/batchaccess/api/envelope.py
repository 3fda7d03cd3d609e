"""What surrounds the spec of every object: version, kind and metadata."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from batchaccess.api.fields import DnsLabel, Whole
from batchaccess.api.rules import ApiModel

GROUP: Final = "batchaccess.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = "batchaccess.dev/v1alpha1"

REQUESTED_AT: Final = f"{GROUP}/requested-at"
"""Annotation that asks for a sweep now; its value is echoed in `status.lastHandledRequestedAt`."""

ADOPT: Final = f"{GROUP}/adopt"
"""Annotation of a BatchPoolAccess: take over the saga with this id from whoever holds it."""

ABANDON: Final = f"{GROUP}/abandon"
"""Annotation of a BatchPoolAccess or a connection: with the value `true`, give up its open sagas as they are."""

LEAVING_SINCE: Final = f"{GROUP}/leaving-since"
"""Annotation of a connection, set by `batchaccess uninstall`: restore what is open and begin nothing for a while."""

NOT_CREATED: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""Creation time of what is not in Kubernetes yet: of two policies the one that is there already is the older."""

DEFAULT_NAMESPACE: Final = "default"
MAX_REQUESTED_AT: Final = 4096
"""Characters of the annotation that are heeded and echoed: statuses have bounds, annotations hardly."""


class Kind(StrEnum):
    """The kinds of the group."""

    CONNECTION = "BatchAccountConnection"
    POLICY = "BatchPoolAccessPolicy"
    POOL_ACCESS = "BatchPoolAccess"


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


Time = Annotated[datetime, Field(strict=False), AfterValidator(_in_utc)]


def heeded_request(annotations: Mapping[str, Any]) -> str | None:
    """What the annotation that asks for a sweep says, as far as it is heeded and echoed."""
    value = annotations.get(REQUESTED_AT)
    return value[:MAX_REQUESTED_AT] if isinstance(value, str) else None


class Metadata(ApiModel):
    """What we use of the standard object metadata; what only a server adds may be absent."""

    name: Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
    namespace: str = DEFAULT_NAMESPACE
    uid: str = ""
    generation: Whole = 0
    creation_timestamp: Time = NOT_CREATED
    deletion_timestamp: Time | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def deleting(self) -> bool:
        """Whether Kubernetes was asked to delete the object."""
        return self.deletion_timestamp is not None

    @property
    def leaving_since(self) -> datetime | None:
        """When it was deleted, or the operator told to leave; what is no time counts as absent."""
        if self.deletion_timestamp is not None:
            return self.deletion_timestamp
        try:
            return _in_utc(datetime.fromisoformat(self.annotations.get(LEAVING_SINCE, "")))
        except ValueError:
            return None

    @property
    def abandon(self) -> bool:
        """Whether open sagas are to be given up."""
        return self.annotations.get(ABANDON) == "true"

    @property
    def requested_at(self) -> str | None:
        """The value of the annotation that asks for a sweep."""
        return heeded_request(self.annotations)


class ConnectionMetadata(Metadata):
    """Metadata of a connection, whose name begins the names of its BatchPoolAccess objects."""

    name: DnsLabel


class Resource(ApiModel):
    """A custom resource of ours."""

    api_version: Literal["batchaccess.dev/v1alpha1"]
    metadata: Metadata
