"""The table of operations: which method and path is which, under the names azure-batch gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from batchemulator.operations import images, jobs, nodes, pool_scaling, pool_updates, pools, tasks
from batchemulator.wire.errors import ErrorCode, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from batchemulator.operations.call import Call
    from batchemulator.wire.messages import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation; its name is what faults, the request log and clients' metrics know it by."""

    name: str
    method: str
    segments: tuple[str, ...]
    run: Callable[[Call], Response]

    def parameters(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The variable segments of a path, or None if the path is another operation's."""
        if len(segments) != len(self.segments):
            return None
        found: dict[str, str] = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern.startswith("{"):
                found[pattern.strip("{}")] = segment
            elif pattern != segment.lower():
                return None
        return found


_TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("GET", "/pools", pools.list_pools),
    ("POST", "/pools", pools.create_pool),
    ("GET", "/pools/{pool_id}", pools.get_pool),
    ("HEAD", "/pools/{pool_id}", pools.pool_exists),
    ("PATCH", "/pools/{pool_id}", pool_updates.update_pool),
    ("DELETE", "/pools/{pool_id}", pools.delete_pool),
    ("POST", "/pools/{pool_id}/updateproperties", pool_updates.replace_pool_properties),
    ("POST", "/pools/{pool_id}/resize", pool_scaling.resize_pool),
    ("POST", "/pools/{pool_id}/stopresize", pool_scaling.stop_pool_resize),
    ("POST", "/pools/{pool_id}/removenodes", pool_scaling.remove_nodes),
    ("POST", "/pools/{pool_id}/enableautoscale", pool_scaling.enable_pool_auto_scale),
    ("POST", "/pools/{pool_id}/disableautoscale", pool_scaling.disable_pool_auto_scale),
    ("POST", "/pools/{pool_id}/evaluateautoscale", pool_scaling.evaluate_pool_auto_scale),
    ("GET", "/pools/{pool_id}/nodes", nodes.list_nodes),
    ("GET", "/pools/{pool_id}/nodes/{node_id}", nodes.get_node),
    ("GET", "/pools/{pool_id}/nodes/{node_id}/remoteloginsettings", nodes.get_node_remote_login_settings),
    ("POST", "/pools/{pool_id}/nodes/{node_id}/disablescheduling", nodes.disable_node_scheduling),
    ("POST", "/pools/{pool_id}/nodes/{node_id}/enablescheduling", nodes.enable_node_scheduling),
    ("GET", "/nodecounts", nodes.list_pool_node_counts),
    ("GET", "/supportedimages", images.list_supported_images),
    ("GET", "/jobs", jobs.list_jobs),
    ("POST", "/jobs", jobs.create_job),
    ("GET", "/jobs/{job_id}", jobs.get_job),
    ("PATCH", "/jobs/{job_id}", jobs.update_job),
    ("PUT", "/jobs/{job_id}", jobs.replace_job),
    ("DELETE", "/jobs/{job_id}", jobs.delete_job),
    ("POST", "/jobs/{job_id}/disable", jobs.disable_job),
    ("POST", "/jobs/{job_id}/enable", jobs.enable_job),
    ("POST", "/jobs/{job_id}/terminate", jobs.terminate_job),
    ("GET", "/jobs/{job_id}/taskcounts", jobs.get_job_task_counts),
    ("GET", "/jobs/{job_id}/tasks", tasks.list_tasks),
    ("POST", "/jobs/{job_id}/tasks", tasks.create_task),
    ("POST", "/jobs/{job_id}/addtaskcollection", tasks.create_task_collection),
    ("GET", "/jobs/{job_id}/tasks/{task_id}", tasks.get_task),
    ("DELETE", "/jobs/{job_id}/tasks/{task_id}", tasks.delete_task),
    ("POST", "/jobs/{job_id}/tasks/{task_id}/terminate", tasks.terminate_task),
)

OPERATIONS: tuple[Operation, ...] = tuple(
    Operation(name=run.__name__, method=method, segments=tuple(path.strip("/").split("/")), run=run)
    for method, path, run in _TABLE
)
UNKNOWN_OPERATION = "unknown"


def find_operation(method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
    """The operation a request means, and the variable segments of its path.

    Raises:
        ServiceError: ResourceNotFound, or UnsupportedHttpVerb where the path is right and the method is not.
    """
    segments = tuple(unquote(segment) for segment in path.strip("/").split("/"))
    known_path = False
    for operation in OPERATIONS:
        parameters = operation.parameters(segments)
        if parameters is None:
            continue
        if operation.method == method:
            return operation, parameters
        known_path = True
    raise ServiceError(code=ErrorCode.UNSUPPORTED_HTTP_VERB if known_path else ErrorCode.RESOURCE_NOT_FOUND)
