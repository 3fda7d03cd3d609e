"""BatchPoolAccess as the operator makes it: the identity of one live pool."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from batchaccess.api.envelope import Resource
from batchaccess.api.fields import DnsLabel
from batchaccess.api.rules import ApiModel, Violation


class PoolAccessSpec(ApiModel):
    """Which pool of which account."""

    connection: DnsLabel
    pool_id: Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]


class PoolAccessResource(Resource):
    """A whole BatchPoolAccess, its status apart."""

    kind: Literal["BatchPoolAccess"]
    spec: PoolAccessSpec

    def violations(self) -> Iterator[Violation]:
        """The name tells whose pool it is."""
        if not self.metadata.name.startswith(f"{self.spec.connection}."):
            yield Violation(
                (),
                "metadata.name must start with spec.connection and a dot; BatchPoolAccess objects are made by the "
                "operator",
            )
