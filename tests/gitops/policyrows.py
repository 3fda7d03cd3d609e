"""How policies show in GitOps tools: their conditions Ready, Reconciling and Stalled are what kstatus reads."""

from typing import Any

from batchemulator import Fault, FaultKind
from tests.gitops.pools import idle_pool, running_pool
from tests.gitops.rows import Health, Kstatus, KubernetesObject, Row
from tests.gitops.scene import Scene, changed_since, unobserved_policy
from tests.support.kube import connection_manifest, policy_manifest

DRAIN = {"strategy": "Drain"}


async def just_created() -> KubernetesObject:
    return unobserved_policy()


async def not_swept() -> KubernetesObject:
    return Scene(policies=[policy_manifest()]).policy()


async def enforced() -> KubernetesObject:
    scene = Scene(idle_pool(), policies=[policy_manifest()])
    await scene.swept()
    return (await scene.swept()).policy()


async def changed() -> KubernetesObject:
    return changed_since(await enforced())


async def nothing_selected() -> KubernetesObject:
    return await _swept(policies=[policy_manifest(pools={"ids": ["other-*"]})])


async def audited_with_drift() -> KubernetesObject:
    return await _swept(running_pool(), policies=[policy_manifest(mode="Audit")])


async def suspended_with_drift() -> KubernetesObject:
    return await _swept(idle_pool(), policies=[policy_manifest(suspend=True)])


async def suspended_in_order() -> KubernetesObject:
    return await _swept(idle_pool(is_open=False), policies=[policy_manifest(suspend=True)])


async def connection_suspended() -> KubernetesObject:
    return await _swept(idle_pool(), policies=[policy_manifest()], connection=connection_manifest(suspend=True))


async def waiting_for_an_empty_pool() -> KubernetesObject:
    return await _swept(running_pool(), policies=[policy_manifest()])


async def draining() -> KubernetesObject:
    return await _swept(running_pool(), policies=[policy_manifest(remediation=DRAIN)])


async def deleted_while_draining() -> KubernetesObject:
    scene = Scene(running_pool(), policies=[policy_manifest(remediation=DRAIN)])
    await scene.swept()
    scene.delete_policy()
    return scene.policy()


async def invalid() -> KubernetesObject:
    window = {"kind": "Allow", "schedule": "0 2 * * SAT", "durationSeconds": 14400, "timeZone": "Berlin"}
    return await _swept(policies=[policy_manifest(remediation={"windows": [window]})])


async def target_not_found() -> KubernetesObject:
    return await _swept(policies=[policy_manifest(connections={"names": ["prod-neu"]})])


async def not_permitted() -> KubernetesObject:
    return await _swept(policies=[policy_manifest()], connection=connection_manifest(grants=[]))


async def guardrail_violation() -> KubernetesObject:
    item = {
        "name": "SSH",
        "backendPort": 22,
        "frontendPorts": {"start": 4000, "end": 4100},
        "allowFrom": ["Internet"],
    }
    guarded = connection_manifest(guardrails={"forbidInternetPorts": [22]})
    return await _swept(policies=[policy_manifest(access={"endpoints": {"items": [item]}})], connection=guarded)


async def overridden() -> KubernetesObject:
    return await _swept(idle_pool(is_open=False), policies=[policy_manifest(), policy_manifest("stronger", priority=9)])


async def access_denied() -> KubernetesObject:
    return await _refused(FaultKind.FORBIDDEN)


async def backing_off() -> KubernetesObject:
    return await _refused(FaultKind.INTERNAL_ERROR)


async def account_not_observed() -> KubernetesObject:
    scene = Scene(idle_pool(is_open=False), policies=[policy_manifest()])
    scene.account.fail(Fault(kind=FaultKind.UNAUTHORIZED, operation="list_pools", count=0))
    return (await scene.swept()).policy()


async def _refused(kind: FaultKind) -> KubernetesObject:
    scene = Scene(idle_pool(), policies=[policy_manifest()])
    scene.account.fail(Fault(kind=kind, operation="update_pool", count=0))
    await scene.swept()
    return (await scene.swept()).policy()


async def _swept(*pools: dict[str, Any], **declared: Any) -> KubernetesObject:  # noqa: ANN401 as Scene takes it
    return (await Scene(*pools, **declared).swept()).policy()


ROWS = (
    Row(
        id="just created",
        make=just_created,
        health=Health.PROGRESSING,
        says="Waiting for the first sweep",
        bare=Kstatus.CURRENT,
    ),
    Row(id="accepted and not swept yet", make=not_swept, health=Health.PROGRESSING, says="NotObserved: No sweep"),
    Row(id="enforced", make=enforced, health=Health.HEALTHY, says="Enforced: Every pool that the policy governs"),
    Row(id="changed since the last sweep", make=changed, health=Health.PROGRESSING, says="latest change"),
    Row(id="it selects no pool", make=nothing_selected, health=Health.HEALTHY, says="NothingSelected: "),
    Row(id="audited with drift", make=audited_with_drift, health=Health.HEALTHY, says="AuditOnly: Not every pool"),
    Row(id="suspended with drift", make=suspended_with_drift, health=Health.SUSPENDED, says="Suspended: Not every"),
    Row(id="suspended and in order", make=suspended_in_order, health=Health.SUSPENDED, says="Enforced: Every pool"),
    Row(
        id="its connection is suspended",
        make=connection_suspended,
        health=Health.SUSPENDED,
        says="Suspended: Not every pool",
    ),
    Row(
        id="it waits for a pool to become empty",
        make=waiting_for_an_empty_pool,
        health=Health.PROGRESSING,
        says="Pending: Not every pool is as declared: PoolNotEmpty",
    ),
    Row(
        id="a pool is being drained",
        make=draining,
        health=Health.PROGRESSING,
        says="Pending: Not every pool is as declared: Correcting",
    ),
    Row(id="the service fails for now", make=backing_off, health=Health.PROGRESSING, says="BackingOff: "),
    Row(
        id="its account cannot be observed",
        make=account_not_observed,
        health=Health.PROGRESSING,
        says="cannot be observed: prod-weu (AuthenticationFailed)",
    ),
    Row(
        id="it is being deleted while a pool is drained",
        make=deleted_while_draining,
        health=Health.PROGRESSING,
        says="Deleting: Being deleted; the scale of prod-weu.render-1 is brought back first.",
        bare=Kstatus.TERMINATING,
    ),
    Row(id="its time zone does not exist", make=invalid, health=Health.DEGRADED, says="is no IANA time zone"),
    Row(id="its connection does not exist", make=target_not_found, health=Health.DEGRADED, says="TargetNotFound: "),
    Row(id="no grant permits it", make=not_permitted, health=Health.DEGRADED, says="NotPermitted: "),
    Row(id="it breaks a guardrail", make=guardrail_violation, health=Health.DEGRADED, says="GuardrailViolation: "),
    Row(id="another policy overrides it", make=overridden, health=Health.DEGRADED, says="default/stronger"),
    Row(id="the service denies the change", make=access_denied, health=Health.DEGRADED, says="AccessDenied: "),
)
