"""Nodes of pools: listing, one node, login settings, scheduling, counts over the account."""

from __future__ import annotations

from collections import Counter
from functools import partial

from batchemulator.operations.call import Call, document, metadata_url, service_id
from batchemulator.operations.lists import list_documents
from batchemulator.state.departures import continue_departure
from batchemulator.state.endpoints import has_ipv6, login_endpoint, node_endpoints
from batchemulator.state.nodes import Node, NodeKind, NodeState, render_node
from batchemulator.state.pool import Pool, pool_key
from batchemulator.state.scheduling import dispatch, requeue, terminate
from batchemulator.wire.errors import ErrorCode, invalid_property, refused
from batchemulator.wire.messages import JsonObject, Response
from batchemulator.wire.odata_query import select_of

_COUNTED = {
    "creating": NodeState.CREATING,
    "deallocated": None,
    "deallocating": None,
    "idle": NodeState.IDLE,
    "leavingPool": NodeState.LEAVING_POOL,
    "offline": None,
    "preempted": None,
    "rebooting": None,
    "reimaging": None,
    "running": NodeState.RUNNING,
    "starting": NodeState.STARTING,
    "startTaskFailed": None,
    "unusable": None,
    "unknown": None,
    "upgradingOS": None,
    "waitingForStartTask": None,
}
"""The states of node counts in the service's order; None for those no emulated node is ever in."""


def list_nodes(call: Call) -> Response:
    """GET /pools/{id}/nodes."""
    pool = call.pool()
    return list_documents(call, "nodes", [(node.id, partial(_render, call, pool, node)) for node in pool.nodes])


def get_node(call: Call) -> Response:
    """GET /pools/{id}/nodes/{node}."""
    pool = call.pool()
    shown = _render(call, pool, call.node(pool))
    select = select_of(call.query)
    if select is not None:
        shown = {key: value for key, value in shown.items() if key in select}
    return document(call, {"odata.metadata": metadata_url(call, "nodes/@Element"), **shown})


def _render(call: Call, pool: Pool, node: Node) -> JsonObject:
    machine: JsonObject = pool.settings.get("virtualMachineConfiguration", {})
    return render_node(
        node,
        url=f"{call.request.base_url}/pools/{pool.id}/nodes/{node.id}",
        vm_size=str(pool.settings.get("vmSize", "")),
        image=machine.get("imageReference"),
        endpoints=node_endpoints(call.account.name, pool, node),
        has_ipv6=has_ipv6(pool),
    )


def get_node_remote_login_settings(call: Call) -> Response:
    """GET .../remoteloginsettings: where SSH or RDP is mapped to, if it is."""
    pool = call.pool()
    endpoint = login_endpoint(call.account.name, pool, call.node(pool))
    if endpoint is None:
        raise refused(ErrorCode.NODE_STATE_UNUSABLE, "The node has no inbound endpoint for SSH or RDP")
    settings = {
        "odata.metadata": metadata_url(call, "Microsoft.Azure.Batch.Protocol.Entities.RemoteLoginSettings"),
        "remoteLoginIPAddress": endpoint["publicIPAddress"],
        "remoteLoginPort": endpoint["frontendPort"],
    }
    return document(call, settings, service_id(call))


def disable_node_scheduling(call: Call) -> Response:
    """POST .../disablescheduling: no new tasks; running ones requeued, terminated or let finish."""
    body = call.body() if call.request.body else {}
    option = str(body.get("nodeDisableSchedulingOption") or "requeue").lower()
    if option not in {"requeue", "terminate", "taskcompletion"}:
        raise invalid_property(
            "nodeDisableSchedulingOption",
            option,
            "The value must be one of requeue, taskcompletion, terminate",
        )
    pool = call.pool()
    node = call.node(pool)
    node.scheduling_enabled = False
    for job, task in list(node.running):
        if option == "requeue":
            requeue(call.account, call.account.jobs[job], task, call.now)
        elif option == "terminate":
            terminate(call.account, call.account.jobs[job], task, call.now)
    continue_departure(call.account, pool, node, call.now)
    dispatch(call.account, pool, call.now)
    return Response(status=200, headers=service_id(call))


def enable_node_scheduling(call: Call) -> Response:
    """POST .../enablescheduling."""
    pool = call.pool()
    call.node(pool).scheduling_enabled = True
    dispatch(call.account, pool, call.now)
    return Response(status=200, headers=service_id(call))


def list_pool_node_counts(call: Call) -> Response:
    """GET /nodecounts: nodes by state, kind and pool; leaving ones are in the total (recorded)."""
    entries = [(pool_key(pool.id), partial(_counts, pool)) for pool in call.account.pools]
    return list_documents(call, "poolnodecounts", entries)


def _counts(pool: Pool) -> JsonObject:
    return {
        "poolId": pool.id,
        "dedicated": _counts_of(pool, NodeKind.DEDICATED),
        "lowPriority": _counts_of(pool, NodeKind.LOW_PRIORITY),
    }


def _counts_of(pool: Pool, kind: NodeKind) -> JsonObject:
    found = Counter(node.state for node in pool.nodes if node.kind is kind)
    by_state = {name: found[state] if state is not None else 0 for name, state in _COUNTED.items()}
    return by_state | {"total": found.total()}
