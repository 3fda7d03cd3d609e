"""What the nodes of a pool expose that the pool itself does not say.

Until 30 November 2025 the service mapped SSH or RDP on its own (`SSHRule.0` to 22 or 3389), beside a pool's own NAT
pools and invisible in the pool; only the inbound endpoints of the nodes show it.
"""

from collections.abc import Iterable
from typing import Final

from batchaccess.azurebatch.reading import counted, each, inside, part, port, text
from batchaccess.core.model import (
    InboundEndpoint,
    JsonObject,
    NodeFindings,
)

NODE_KEYS: Final = ("id", "endpointConfiguration", "runningTasksCount")
"""The `$select` of a node listing."""


def node_findings(nodes: Iterable[JsonObject], endpoints: Iterable[InboundEndpoint]) -> NodeFindings:
    """Count `nodes` and tasks, and collect the backend ports that none of the pool's own `endpoints` accounts for.

    The endpoint of a NAT pool is named `<pool>.<index>`, over IPv6 `<pool>-ipv6.<index>`, and leads to the NAT pool's
    backend port; one that only shares the name is not the pool's own.

    Raises:
        Unreadable: a key has a value this version cannot understand.
    """
    own = {(endpoint.name, endpoint.backend_port) for endpoint in endpoints}
    count = tasks = 0
    implicit: set[int] = set()
    for index, node in enumerate(nodes):
        count += 1
        tasks += inside(f"value[{index}]", _running_tasks, node)
        mapped = inside(f"value[{index}]", _mapped, node)
        implicit.update(backend for name, backend in mapped if not own & _possible_owners(name, backend))
    return NodeFindings(nodes=count, implicit_ports=frozenset(implicit), running_tasks=tasks)


def _running_tasks(node: JsonObject) -> int:
    """A node that is still starting has no such key."""
    return counted(node, "runningTasksCount", 0)


def _mapped(node: JsonObject) -> tuple[tuple[str, int], ...]:
    """Name and backend port of every inbound endpoint of a node."""
    return part(node, "endpointConfiguration", _inbound_endpoints)


def _inbound_endpoints(raw: JsonObject) -> tuple[tuple[str, int], ...]:
    return each(raw, "inboundEndpoints", lambda endpoint: (text(endpoint, "name"), port(endpoint, "backendPort")))


def _possible_owners(endpoint_name: str, backend_port: int) -> set[tuple[str, int]]:
    """NAT pools that would have an endpoint of this name; `a-ipv6.0` may belong to `a` or to `a-ipv6`."""
    base, dot, index = endpoint_name.rpartition(".")
    if not dot or not (index.isascii() and index.isdigit()):
        return set()
    return {(base, backend_port), (base.removesuffix("-ipv6"), backend_port)}
