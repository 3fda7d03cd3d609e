"""The only kind of pools that commands get: everything can be read, nothing can be written."""

from typing import Protocol

from batchaccess.azurebatch.survey import Survey
from batchaccess.core.model import JsonObject, NodeFindings, ObservedPool
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Listing, Pools, PortError


class SurveyedPools(Pools, Protocol):
    """Pools that can be read with their traits."""

    async def survey(self) -> Survey:
        """All pools with what an audit wants to know besides."""
        ...


class ReadOnlyPools:
    """Implements `ports.Pools` by another one, and refuses to write before anything leaves this machine."""

    def __init__(self, pools: SurveyedPools) -> None:
        self._pools = pools

    async def survey(self) -> Survey:
        """All pools with what an audit wants to know besides."""
        return await self._pools.survey()

    async def list_pools(self) -> Listing:
        """All pools, those being deleted included."""
        return await self._pools.list_pools()

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool, read now."""
        return await self._pools.get_pool(pool_id)

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes of a pool expose beyond its own NAT pools."""
        return await self._pools.list_node_endpoints(pool)

    async def patch_network(self, pool_id: str, network_configuration: JsonObject, *, etag: str) -> None:  # noqa: ARG002 the port's signature
        """Refused, always.

        Raises:
            PortError: with code `WriteRefused`.
        """
        raise PortError(
            ErrorKind.DENIED, "WriteRefused", f"pool {pool_id} is not written to: this command only looks at accounts"
        )

    async def close(self) -> None:
        """Release connections and credentials."""
        await self._pools.close()
