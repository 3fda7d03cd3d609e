"""How connections show in GitOps tools.

kstatus takes `Ready=False` for work in progress, as it cannot know better without a condition `Stalled`; and an object
without any status for one that is in order.
"""

from dataclasses import replace

from batchemulator import Fault, FaultKind
from tests.gitops.pools import running_pool
from tests.gitops.rows import Health, Kstatus, KubernetesObject, Row
from tests.gitops.scene import Scene, changed_since, unobserved_connection
from tests.support.kube import connection_manifest, policy_manifest


async def just_created() -> KubernetesObject:
    return unobserved_connection()


async def connected() -> KubernetesObject:
    return (await Scene().swept()).connection()


async def changed() -> KubernetesObject:
    return changed_since(await connected())


async def suspended() -> KubernetesObject:
    return (await Scene(connection=connection_manifest(suspend=True)).swept()).connection()


async def duplicate() -> KubernetesObject:
    other = connection_manifest("prod-again", endpoint="https://prod-weu.westeurope.batch.azure.com")
    return (await Scene(duplicates=[other]).swept()).duplicate()


async def refused() -> KubernetesObject:
    return await _failing(FaultKind.UNAUTHORIZED)


async def unreachable() -> KubernetesObject:
    return await _failing(FaultKind.SILENT_BEFORE)


async def throttled() -> KubernetesObject:
    return await _failing(FaultKind.THROTTLED)


async def told_to_leave() -> KubernetesObject:
    scene = Scene()
    account = scene.account
    account.declared = replace(account.declared, leaving_since=account.clock.now())
    return (await scene.swept()).connection()


async def deleted_and_restoring() -> KubernetesObject:
    scene = Scene(running_pool(), policies=[policy_manifest(remediation={"strategy": "Drain"})])
    await scene.swept()
    scene.delete_connection()
    return scene.connection()


async def suspended_and_refused() -> KubernetesObject:
    return await _failing(FaultKind.UNAUTHORIZED, suspend=True)


async def _failing(kind: FaultKind, *, suspend: bool = False) -> KubernetesObject:
    scene = Scene(connection=connection_manifest(suspend=suspend))
    scene.account.fail(Fault(kind=kind, operation="list_pools", count=0))
    return (await scene.swept()).connection()


ROWS = (
    Row(
        id="just created",
        make=just_created,
        health=Health.PROGRESSING,
        says="Waiting for the first sweep",
        bare=Kstatus.CURRENT,
    ),
    Row(id="connected", make=connected, health=Health.HEALTHY, says="Connected: The account's pools are observed."),
    Row(id="changed since the last sweep", make=changed, health=Health.PROGRESSING, says="latest change"),
    Row(id="suspended", make=suspended, health=Health.SUSPENDED, says="Suspended: Pools are observed"),
    Row(
        id="the account refuses the credentials",
        make=refused,
        health=Health.DEGRADED,
        says="AuthenticationFailed: ",
        bare=Kstatus.IN_PROGRESS,
    ),
    Row(
        id="suspended and the account refuses the credentials",
        make=suspended_and_refused,
        health=Health.DEGRADED,
        says="AuthenticationFailed: ",
        bare=Kstatus.IN_PROGRESS,
    ),
    Row(
        id="the account does not answer",
        make=unreachable,
        health=Health.DEGRADED,
        says="Unreachable: ",
        bare=Kstatus.IN_PROGRESS,
    ),
    Row(
        id="the operator is told to leave",
        make=told_to_leave,
        health=Health.PROGRESSING,
        says="Leaving: The operator was told to leave by batchaccess uninstall",
    ),
    Row(
        id="it is being deleted while a pool is drained",
        make=deleted_and_restoring,
        health=Health.PROGRESSING,
        says="Deleting: Being deleted; the scale of prod-weu.render-1 is brought back first.",
        bare=Kstatus.TERMINATING,
    ),
    Row(id="the account asks for patience", make=throttled, health=Health.PROGRESSING, says="Throttled: "),
    Row(
        id="a second connection to the same account",
        make=duplicate,
        health=Health.DEGRADED,
        says="DuplicateEndpoint: Connection prod-weu names the same account",
        bare=Kstatus.IN_PROGRESS,
    ),
)
