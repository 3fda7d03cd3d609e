"""Pools as the service returns them, whose SSH port is open to all, closed, or open to a private network."""

from typing import Any

from tests.gitops.scene import POOL_ID
from tests.support.build import as_returned, endpoint, network

OPEN = as_returned(network(endpoint("SSH")))
CLOSED = as_returned(network(endpoint("SSH", "deny *")))
PRIVATE = as_returned(network(endpoint("SSH", "allow 10.0.0.0/8", "deny *")))


def idle_pool(*, is_open: bool = True, **more: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    """One without nodes."""
    return {
        "id": POOL_ID,
        "creationTime": "2026-01-01T00:00:00Z",
        "targetDedicatedNodes": 0,
        "currentDedicatedNodes": 0,
        "networkConfiguration": OPEN if is_open else CLOSED,
        **more,
    }


def running_pool(**more: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    """One with three nodes."""
    return idle_pool(targetDedicatedNodes=3, currentDedicatedNodes=3, **more)
