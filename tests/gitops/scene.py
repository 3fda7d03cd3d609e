"""Objects as a cluster stores them: declared as users write them, with the status that the operator's own code gives.

The sweep, the reports and the rendering are the real ones, over an emulated account; nothing here writes a condition.
"""

from collections.abc import Sequence
from typing import Any

from batchaccess.api import parse_connection, parse_policy, render_status, schedule_problems
from batchaccess.control.duplicates import assign
from batchaccess.control.statusviews import StatusViews
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import JsonObject
from batchaccess.kube.cache import CachedObject
from batchaccess.kube.packed import PackedObject
from batchaccess.kube.resources import FINALIZER
from batchaccess.ports import InvalidObject, StoredStatus
from batchaccess.sweep.acceptances import Acceptances
from tests.support.build import NOW
from tests.support.drains import Drains
from tests.support.kube import connection_manifest, policy_manifest

POOL_ID = "render-1"


def stored(manifest: dict[str, Any], *, created: str = "2026-02-01T00:00:00Z") -> dict[str, Any]:
    """A manifest with what the API server adds to it."""
    added = {"uid": f"uid-{manifest['metadata']['name']}", "generation": 1, "creationTimestamp": created}
    return {**manifest, "metadata": manifest["metadata"] | added}


def changed_since(found: dict[str, Any]) -> dict[str, Any]:
    """The object after somebody changed its spec and before the operator looked again."""
    metadata = found["metadata"]
    return {**found, "metadata": metadata | {"generation": metadata["generation"] + 1}}


class Scene:
    """One connection with its account, and policies for it."""

    def __init__(
        self,
        *pools: JsonObject,
        policies: Sequence[dict[str, Any]] = (),
        connection: dict[str, Any] | None = None,
        duplicates: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._connection = stored(connection or connection_manifest())
        self._duplicates = [stored(each, created="2026-02-02T00:00:00Z") for each in duplicates]
        self._policies = {each["metadata"]["name"]: stored(each) for each in policies}
        self._read = {name: _policy(each) for name, each in self._policies.items()}
        valid = [each for each in self._read.values() if isinstance(each, AccessPolicy)]
        self.account = Drains.of(*pools, policies=valid)
        self.account.declared = _valid(self._connection)
        connections = [self.account.declared, *map(_valid, self._duplicates)]
        self._views = StatusViews(Acceptances(), lambda: assign(connections), self.account.register)

    async def swept(self) -> "Scene":
        """After one pass over the account."""
        summary = await self.account.sweeping.run_once(self.account.catalogue())
        assert summary is not None
        self._views.swept(summary)
        return self

    def delete_connection(self) -> None:
        """Kubernetes is asked to delete the connection, which carries the finalizer."""
        _delete(self._connection)
        self.account.declared = _valid(self._connection)

    def delete_policy(self, name: str = "ssh") -> None:
        """Kubernetes is asked to delete a policy, which carries the finalizer."""
        _delete(self._policies[name])
        self._read[name] = _policy(self._policies[name])
        self.account.policies[:] = [each for each in self._read.values() if isinstance(each, AccessPolicy)]

    def connection(self) -> dict[str, Any]:
        """The BatchAccountConnection."""
        return self._with_status(self._connection)

    def duplicate(self) -> dict[str, Any]:
        """The younger connection to the same account."""
        return self._with_status(self._duplicates[0])

    def policy(self, name: str = "ssh") -> dict[str, Any]:
        """A BatchPoolAccessPolicy."""
        found = self._policies[name]
        status = self._views.policy_status(_cached(found, self._read[name]), self.account.catalogue(), now=NOW)
        return {**found, "status": render_status(status)}

    def pool(self, pool_id: str = POOL_ID) -> dict[str, Any]:
        """The BatchPoolAccess of a pool, as the sweep has made and written it."""
        connection = self._connection["metadata"]
        reported = self.account.reports.objects[f"{connection['name']}.{pool_id}"].stored
        made = unobserved_pool(connection=connection["name"], pool_id=pool_id)
        assert made["metadata"]["name"] == reported.name
        return {**made, "status": dict(reported.status)}

    def _with_status(self, manifest: dict[str, Any]) -> dict[str, Any]:
        status = self._views.connection_status(_cached(manifest, _valid(manifest)), now=NOW)
        assert status is not None, "no sweep has ended yet"
        return {**manifest, "status": render_status(status)}


def unobserved_pool(*, connection: str = "prod-weu", pool_id: str = POOL_ID) -> dict[str, Any]:
    """A BatchPoolAccess that was just made and has no status yet."""
    return stored(
        {
            "apiVersion": "batchaccess.dev/v1alpha1",
            "kind": "BatchPoolAccess",
            "metadata": {"name": f"{connection}.{pool_id}"},
            "spec": {"connection": connection, "poolId": pool_id},
        }
    )


def unobserved_connection() -> dict[str, Any]:
    """A BatchAccountConnection that was just applied."""
    return stored(connection_manifest())


def unobserved_policy() -> dict[str, Any]:
    """A BatchPoolAccessPolicy that was just applied."""
    return stored(policy_manifest())


def _delete(manifest: dict[str, Any]) -> None:
    manifest["metadata"] |= {"deletionTimestamp": "2026-03-01T00:00:00Z", "finalizers": [FINALIZER]}


def _valid(manifest: JsonObject) -> AccountConnection:
    parsed = parse_connection(manifest)
    assert isinstance(parsed, AccountConnection), parsed
    return parsed


def _policy(manifest: JsonObject) -> AccessPolicy | InvalidObject:
    """As the operator reads a policy that the API server stored."""
    parsed = parse_policy(manifest)
    assert isinstance(parsed, AccessPolicy), parsed
    problems = schedule_problems(parsed)
    if not problems:
        return parsed
    return InvalidObject(uid=parsed.uid, generation=parsed.generation, problems=problems)


def _cached(manifest: dict[str, Any], value: Any) -> CachedObject[Any]:  # noqa: ANN401 a connection or a policy
    metadata = manifest["metadata"]
    entry = StoredStatus(
        name=metadata["name"],
        namespace=metadata.get("namespace"),
        uid=metadata["uid"],
        generation=metadata["generation"],
        status=PackedObject({}),
    )
    return CachedObject(uid=metadata["uid"], resource_version=1, value=value, stored=entry)
