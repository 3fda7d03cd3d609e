"""How pools show in GitOps tools.

A BatchPoolAccess has no condition that kstatus knows, so kstatus by itself takes all of them for in order.
"""

from dataclasses import replace
from typing import Any

from batchemulator import Fault, FaultKind
from tests.gitops.pools import PRIVATE, idle_pool, running_pool
from tests.gitops.rows import Health, Kstatus, KubernetesObject, Make, Row
from tests.gitops.scene import POOL_ID, Scene, changed_since, unobserved_pool
from tests.support.kube import policy_manifest

OPEN_SSH = "SSH (TCP/22): anyone on the Internet (because an endpoint without rules admits everyone, e.g. 8.8.8.8)."
DRAIN = {"strategy": "Drain"}
OPEN_TO_ALL = {
    "endpoints": {
        "items": [
            {"name": "SSH", "backendPort": 22, "frontendPorts": {"start": 4000, "end": 4100}, "allowFrom": ["*"]},
        ]
    }
}


async def just_created() -> KubernetesObject:
    return unobserved_pool()


async def compliant() -> KubernetesObject:
    return await _swept(idle_pool(is_open=False), policy_manifest())


async def changed() -> KubernetesObject:
    return changed_since(await compliant())


async def corrected() -> KubernetesObject:
    scene = Scene(idle_pool(), policies=[policy_manifest()])
    await scene.swept()
    return (await scene.swept()).pool()


async def open_as_declared() -> KubernetesObject:
    return await _swept(idle_pool(), policy_manifest(access=OPEN_TO_ALL))


async def unmanaged_and_closed() -> KubernetesObject:
    return await _swept(idle_pool(is_open=False))


async def unmanaged_and_open() -> KubernetesObject:
    return await _swept(idle_pool())


async def audited_drift() -> KubernetesObject:
    return await _swept(running_pool(networkConfiguration=PRIVATE), policy_manifest(mode="Audit"))


async def audited_exposure() -> KubernetesObject:
    return await _swept(running_pool(), policy_manifest(mode="Audit"))


async def waiting() -> KubernetesObject:
    return await _swept(running_pool(networkConfiguration=PRIVATE), policy_manifest())


async def waiting_and_exposed() -> KubernetesObject:
    return await _swept(running_pool(), policy_manifest())


async def draining() -> KubernetesObject:
    return await _swept(running_pool(), policy_manifest(remediation=DRAIN))


async def restore_pending() -> KubernetesObject:
    """Its connection is being deleted, and the service lets nobody resize."""
    scene = Scene(running_pool(), policies=[policy_manifest(remediation=DRAIN)])
    account, name = scene.account, f"prod-weu.{POOL_ID}"
    await scene.swept()
    account.declared = replace(account.declared, deleting=True, leaving_since=account.clock.now())
    for operation in ("resize_pool", "stop_pool_resize"):
        account.fail(Fault(kind=FaultKind.FORBIDDEN, operation=operation, count=0))
    await account.live_until(lambda: account.reports.condition(name, "Remediating")[1] == "RestorePending", within=590)
    return scene.pool()


async def suspended() -> KubernetesObject:
    return await _swept(idle_pool(networkConfiguration=PRIVATE), policy_manifest(suspend=True))


async def suspended_and_exposed() -> KubernetesObject:
    return await _swept(idle_pool(), policy_manifest(suspend=True))


async def change_denied() -> KubernetesObject:
    scene = Scene(idle_pool(networkConfiguration=PRIVATE), policies=[policy_manifest()])
    scene.account.fail(Fault(kind=FaultKind.FORBIDDEN, operation="update_pool", count=0))
    await scene.swept()
    return (await scene.swept()).pool()


async def assertion_violated() -> KubernetesObject:
    assertion = {"name": "no-login", "notReachableFrom": ["10.0.0.0/8"]}
    only_asserting = policy_manifest(access={}, assertions=[assertion])
    return await _swept(idle_pool(networkConfiguration=PRIVATE), only_asserting)


async def unreadable() -> KubernetesObject:
    scene = Scene(idle_pool())
    scene.account.pool(POOL_ID).settings["networkConfiguration"] = {
        "endpointConfiguration": {"inboundNATPools": ["SSH"]}
    }
    return (await scene.swept()).pool()


async def _swept(pool: dict[str, Any], *policies: dict[str, Any]) -> KubernetesObject:
    return (await Scene(pool, policies=policies).swept()).pool()


def _row(id: str, make: Make, health: Health, says: str) -> Row:
    return Row(id=id, make=make, health=health, says=says, bare=Kstatus.CURRENT)


ROWS = (
    _row("just created", just_created, Health.PROGRESSING, "Waiting for the first sweep"),
    _row("as declared", compliant, Health.HEALTHY, "The network is as policy default/ssh declares."),
    Row(id="changed since the last sweep", make=changed, health=Health.PROGRESSING, says="latest change"),
    _row("corrected", corrected, Health.HEALTHY, "The network is as policy default/ssh declares."),
    _row("open to the Internet as declared", open_as_declared, Health.HEALTHY, "Compliant: The network is as policy"),
    _row(
        "no policy governs it", unmanaged_and_closed, Health.HEALTHY, "NotManaged: No policy governs this pool. Nobody"
    ),
    _row(
        "no policy governs it and the Internet reaches it",
        unmanaged_and_open,
        Health.DEGRADED,
        f"InternetReachable: {OPEN_SSH} NotManaged: ",
    ),
    _row("audited with drift", audited_drift, Health.DEGRADED, "AuditOnly: Policy default/ssh is in mode Audit"),
    _row(
        "audited and the Internet reaches it",
        audited_exposure,
        Health.DEGRADED,
        f"InternetReachable: {OPEN_SSH} AuditOnly: ",
    ),
    _row("it waits to become empty", waiting, Health.PROGRESSING, "PoolNotEmpty: The network changes only while"),
    _row(
        "it waits to become empty and the Internet reaches it",
        waiting_and_exposed,
        Health.DEGRADED,
        f"InternetReachable: {OPEN_SSH} PoolNotEmpty: ",
    ),
    _row("it is being drained", draining, Health.PROGRESSING, "Draining: Nodes are leaving the pool."),
    _row("its scale could not be brought back", restore_pending, Health.DEGRADED, "RestorePending: "),
    _row("suspended with drift", suspended, Health.SUSPENDED, "Suspended: Policy default/ssh is suspended."),
    _row(
        "suspended and the Internet reaches it",
        suspended_and_exposed,
        Health.DEGRADED,
        f"InternetReachable: {OPEN_SSH} Suspended: ",
    ),
    _row("the service denies the change", change_denied, Health.DEGRADED, "AccessDenied: "),
    _row("an assertion does not hold", assertion_violated, Health.DEGRADED, "AssertionViolated: "),
    _row("its description is not understood", unreadable, Health.DEGRADED, "Unreadable: "),
)
