"""The only kind of pools that commands get: everything can be read, nothing can be written."""

from collections.abc import Sequence
from typing import Protocol

from batchaccess.azurebatch.survey import Survey
from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import (
    JsonObject,
    MetadataItem,
    NodeCounts,
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Listing, Pools, PortError


class SurveyedPools(Pools, Protocol):
    """Pools that can be read with their traits."""

    async def survey(self) -> Survey:
        """All pools with what an audit wants to know besides."""
        ...

    async def running_tasks(self, pool_id: str) -> int:
        """How many tasks run on the nodes of a pool now."""
        ...


class ReadOnlyPools:
    """Implements `ports.Pools` by another one, and refuses to write before anything leaves this machine."""

    def __init__(self, pools: SurveyedPools) -> None:
        self._pools = pools

    async def survey(self) -> Survey:
        """All pools with what an audit wants to know besides."""
        return await self._pools.survey()

    async def running_tasks(self, pool_id: str) -> int:
        """How many tasks run on the nodes of a pool now."""
        return await self._pools.running_tasks(pool_id)

    async def list_pools(self) -> Listing:
        """All pools, those being deleted included."""
        return await self._pools.list_pools()

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool, read now."""
        return await self._pools.get_pool(pool_id)

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes of a pool expose beyond its own NAT pools."""
        return await self._pools.list_node_endpoints(pool)

    async def patch_network(
        self,
        pool_id: str,
        network_configuration: JsonObject,  # noqa: ARG002 the port's signature
        *,
        etag: str,  # noqa: ARG002 the port's signature
        unquoted: bool = False,  # noqa: ARG002 the port's signature
    ) -> None:
        """Refused, always."""
        raise _refusal(pool_id)

    async def patch_metadata(
        self,
        pool_id: str,
        items: Sequence[MetadataItem],  # noqa: ARG002 the port's signature
        *,
        etag: str,  # noqa: ARG002 the port's signature
        unquoted: bool = False,  # noqa: ARG002 the port's signature
    ) -> None:
        """Refused, always."""
        raise _refusal(pool_id)

    async def disable_autoscale(self, pool_id: str) -> None:
        """Refused, always."""
        raise _refusal(pool_id)

    async def enable_autoscale(
        self,
        pool_id: str,
        *,
        formula: str,  # noqa: ARG002 the port's signature
        interval: str | None,  # noqa: ARG002 the port's signature
        etag: str | None = None,  # noqa: ARG002 the port's signature
        unquoted: bool = False,  # noqa: ARG002 the port's signature
    ) -> None:
        """Refused, always."""
        raise _refusal(pool_id)

    async def resize(
        self,
        pool_id: str,
        targets: NodeCounts,  # noqa: ARG002 the port's signature
        *,
        resize_timeout: str,  # noqa: ARG002 the port's signature
        node_deallocation: NodeDeallocation | None,  # noqa: ARG002 the port's signature
        etag: str | None = None,  # noqa: ARG002 the port's signature
        unquoted: bool = False,  # noqa: ARG002 the port's signature
    ) -> None:
        """Refused, always."""
        raise _refusal(pool_id)

    async def stop_resize(
        self,
        pool_id: str,
        *,
        etag: str | None = None,  # noqa: ARG002 the port's signature
        unquoted: bool = False,  # noqa: ARG002 the port's signature
    ) -> None:
        """Refused, always."""
        raise _refusal(pool_id)

    async def close(self) -> None:
        """Release connections and credentials."""
        await self._pools.close()


def _refusal(pool_id: str) -> PortError:
    return PortError(
        ErrorKind.DENIED, "WriteRefused", f"pool {pool_id} is not written to: this command only looks at accounts"
    )
