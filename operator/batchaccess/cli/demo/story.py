"""The demo's story, step by step with a verdict each: what `batchaccess demo --check` runs and prints."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import click

from batchaccess.cli.demo import drain
from batchaccess.cli.demo.cluster import RefusedError, condition, manifest
from batchaccess.cli.demo.drift import OPEN_LICENSES, OPEN_SSH
from batchaccess.cli.demo.world import ARCHIVE, PROD, DemoError, World, running
from kubeemulator.launch import LaunchError

_PATIENCE_SECONDS: Final = 15
"""For one step: a sweep period and something to spare."""

_QUIET_SECONDS: Final = 30
_DRAIN_SECONDS: Final = 45
_QUIET_SWEEPS: Final = 2
_SETTLED_LOOKS: Final = 15
"""Looks in a row, a tenth of a second apart, at which no write was made."""

_CORRECTIONS: Final = 5
_LOG_TAIL: Final = 4000
_OPERATOR: Final = "batchaccess/"


class NotHeldError(Exception):
    """A step did not hold; the text says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the demo shows. `run` returns what was seen, in a few words, or raises."""

    title: str
    run: Callable[[World], Awaitable[str]]


async def until(seen: Callable[[], Awaitable[str]], *, seconds: float = _PATIENCE_SECONDS) -> str:
    """Wait until `seen` returns instead of raising `NotHeldError`, and hand on what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await seen()
        except NotHeldError:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(0.1)


def expect(fact: object, otherwise: str) -> None:
    """Raise `NotHeldError` with what was seen unless `fact` is true."""
    if not fact:
        raise NotHeldError(otherwise)


async def pool_says(
    world: World, name: str, type: str, status: str, reason: str, *, seconds: float = _PATIENCE_SECONDS
) -> str:
    """Wait until a pool's condition is as named; its message."""

    async def seen() -> str:
        found = condition(await world.cluster.get("BatchPoolAccess", name), type)
        expect(found[:2] == (status, reason), f"{name} says {type}={found[0]} ({found[1]}): {found[2]}")
        return found[2]

    return await until(seen, seconds=seconds)


def rules_of(world: World, pool_id: str) -> list[dict[str, Any]]:
    """The rules of the first endpoint of a pool, as the Batch account has them."""
    network = world.batch.pool(pool_id, PROD).settings["networkConfiguration"]
    rules: list[dict[str, Any]] = network["endpointConfiguration"]["inboundNATPools"][0].get(
        "networkSecurityGroupRules", []
    )
    return rules


async def accounts_are_observed(world: World) -> str:
    """Both connections become Ready and every pool has its object."""

    async def seen() -> str:
        for name in ("prod", "dev"):
            status, reason, message = condition(await world.cluster.get("BatchAccountConnection", name), "Ready")
            expect(status == "True", f"connection {name} is not Ready: {reason} {message}")
        pools = await world.cluster.list("BatchPoolAccess")
        expect(len(pools) == 13, f"{len(pools)} pools are reported, not 13")  # noqa: PLR2004 those of pools.yaml
        exposed = sum(condition(pool, "Exposed")[1] == "InternetReachable" for pool in pools)
        return f"2 accounts, 13 pools, {exposed} of them reachable from the Internet"

    return await until(seen)


async def exposure_is_computed(world: World) -> str:
    """Exposure that no scanner of configurations sees: implicit mappings, tags, the other address family."""
    await pool_says(world, "prod.sim-mpi", "Exposed", "True", "InternetReachable")
    await pool_says(world, "prod.sim-archive", "Exposed", "Unknown", "Undetermined")
    await pool_says(world, "prod.license-server", "Exposed", "Unknown", "Undetermined")
    await pool_says(world, "dev.dual-stack", "Exposed", "True", "InternetReachable")
    await pool_says(world, "dev.build", "Exposed", "False", "None")
    await pool_says(world, "dev.nightly", "Exposed", "False", "None")
    return "an implicit mapping, a forgotten address family; a service tag and an old empty pool left undetermined"


async def policies_are_enforced(world: World) -> str:
    """Empty pools are corrected, busy ones wait, differences of spelling are left alone."""
    await world.cluster.apply(manifest("policies.yaml"))
    await pool_says(world, "prod.render-linux", "Compliant", "True", "Compliant")
    await pool_says(world, "prod.render-windows", "Compliant", "True", "Compliant")
    await pool_says(world, "prod.render-gpu", "Compliant", "False", "PoolNotEmpty")
    await pool_says(world, "prod.render-batchnight", "Drifted", "False", "Neutral")
    rules = [(rule["access"], rule["sourceAddressPrefix"]) for rule in rules_of(world, "render-linux")]
    expect(rules == [("allow", "192.168.1.0/24"), ("deny", "*")], f"render-linux has the rules {rules}")
    return "2 empty pools corrected, the busy one waits, spelling left alone"


async def assertions_are_reported(world: World) -> str:
    """A policy that only asserts reports, and corrects nothing."""

    async def seen() -> str:
        policy = await world.cluster.get("BatchPoolAccessPolicy", "no-internet-login", "security")
        failed = [entry["poolId"] for entry in policy.get("status", {}).get("notInOrder", ())]
        expect(failed == ["playground"], f"the assertion is said to fail on {failed}")
        return f"no-internet-login fails on {', '.join(sorted(failed))}"

    return await until(seen)


async def closed_port_is_an_explicit_deny(world: World) -> str:
    """An empty allowFrom closes: one Deny, never an empty list, which would mean open."""
    await world.cluster.apply(manifest("close-ssh.yaml"))

    async def seen() -> str:
        rules = [(rule["access"], rule["sourceAddressPrefix"]) for rule in rules_of(world, "render-linux")]
        expect(rules == [("deny", "*")], f"render-linux has the rules {rules}")
        pool = await world.cluster.get("BatchPoolAccess", "prod.render-linux")
        expect(pool["status"].get("policy") == "render/close-ssh", f"{pool['status'].get('policy')} governs")
        expect(condition(pool, "Compliant")[0] == "True", condition(pool, "Compliant")[2])
        change: str = pool["status"]["lastChange"]["after"]
        return change

    return await until(seen)


async def drift_is_corrected(world: World) -> str:
    """Somebody opens SSH to the world behind everybody's back."""
    world.batch.edit("render-linux", OPEN_SSH, PROD)
    started = time.monotonic()

    async def seen() -> str:
        rules = rules_of(world, "render-linux")
        expect([rule["access"] for rule in rules] == ["deny"], f"render-linux has the rules {rules}")
        return f"closed again {time.monotonic() - started:.0f} s later"

    closed = await until(seen)
    await pool_says(world, "prod.render-linux", "Compliant", "True", "Compliant")
    return closed


async def office_range_excuses_nobody_else(world: World) -> str:
    """One office may reach the licenses; that everyone does is against policy all the same."""
    world.batch.edit("license-server", OPEN_LICENSES, PROD)
    requested = {"batchaccess.dev/requested-at": datetime.now(UTC).isoformat()}
    await world.cluster.annotate("BatchPoolAccess", "prod.license-server", requested)
    message = await pool_says(world, "prod.license-server", "Exposed", "True", "InternetReachable")

    async def seen() -> str:
        violation = 'batchaccess_pool_exposure_violation{connection="prod",pool="license-server"} 1.0'
        expect(violation in await world.metrics(), "the metrics show no violation of license-server")
        return message

    return await until(seen)


async def emptied_pool_is_corrected(world: World) -> str:
    """The busy pool is corrected once its owners scale it to zero; nobody has to wait for the next sweep."""
    world.batch.edit("render-gpu", {"targetDedicatedNodes": 0}, PROD)
    requested = {"batchaccess.dev/requested-at": datetime.now(UTC).isoformat()}
    await world.cluster.annotate("BatchPoolAccess", "prod.render-gpu", requested)
    return await pool_says(world, "prod.render-gpu", "Compliant", "True", "Compliant")


async def busy_pool_is_drained(world: World) -> str:
    """Tasks run on four nodes when somebody opens the farm: its nodes may finish, then they go."""
    world.jobs.append(await drain.submit_tasks(world))
    world.batch.edit(drain.FARM, OPEN_SSH, PROD)
    requested = {"batchaccess.dev/requested-at": datetime.now(UTC).isoformat()}
    await world.cluster.annotate("BatchPoolAccess", f"prod.{drain.FARM}", requested)
    await pool_says(world, f"prod.{drain.FARM}", "Remediating", "True", "Draining")
    return f"{drain.TASKS} tasks on {drain.NODES} nodes; the scale is in the journal, here and in Azure"


async def drained_pool_is_restored(world: World) -> str:
    """Empty for a moment, corrected, and back at its size: no task was disturbed."""
    await pool_says(world, f"prod.{drain.FARM}", "Compliant", "True", "Compliant", seconds=_DRAIN_SECONDS)
    await pool_says(world, f"prod.{drain.FARM}", "Remediating", "False", "Idle", seconds=_DRAIN_SECONDS)
    targets = world.batch.pool(drain.FARM, PROD).targets
    expect((targets.dedicated, targets.low_priority) == (drain.NODES, 0), f"the farm's targets are {targets}")

    async def seen() -> str:
        events = drain.task_events(world, world.jobs[-1])
        expect(drain.is_done(events), f"{len(events)} entries in the task log so far")
        wrong = drain.ran_once(events)
        expect(not wrong, wrong)
        return f"{drain.TASKS} tasks ran once each, exit code 0, none requeued; {drain.NODES} nodes as before"

    return await until(seen)


async def refused_at_apply(world: World) -> str:
    """What the service would refuse dies at `kubectl apply`, with the field and the remedy."""
    try:
        await world.cluster.apply(manifest("refused.yaml"))
    except RefusedError as error:
        text = str(error)
    else:
        raise NotHeldError("the API server took a policy that the service would refuse")
    for fragment in ("backendPort", "frontendPorts", "allowFrom"):
        expect(fragment in text, f"the refusal does not name {fragment}: {text}")
    return "all three mistakes are named with their fields"


async def guardrail_holds(world: World) -> str:
    """A policy that would open what the connection forbids is not accepted and has no effect."""
    await world.cluster.apply(manifest("forbidden.yaml"))

    async def seen() -> str:
        policy = await world.cluster.get("BatchPoolAccessPolicy", "forbidden", "render")
        status, reason, _ = condition(policy, "Accepted")
        expect((status, reason) == ("False", "GuardrailViolation"), f"Accepted={status} ({reason})")
        return "Accepted=False (GuardrailViolation)"

    verdict = await until(seen)
    await world.cluster.delete("BatchPoolAccessPolicy", "forbidden", "render")
    return verdict


async def wrong_key_is_said(world: World) -> str:
    """Wrong credentials of one account are said, and disturb no other."""

    async def seen() -> str:
        status, reason, message = condition(await world.cluster.get("BatchAccountConnection", "archive"), "Ready")
        expect((status, reason) == ("False", "AuthenticationFailed"), f"Ready={status} ({reason}): {message}")
        return reason

    said = await until(seen)
    status, _, message = condition(await world.cluster.get("BatchAccountConnection", "prod"), "Ready")
    expect(status == "True", f"prod is not Ready: {message}")
    await world.cluster.apply(manifest("archive-secret.yaml", KEY=ARCHIVE.key))
    return f"archive says {said}, the others are Ready; its Secret is put right now"


async def wrong_key_heals(world: World) -> str:
    """The connection recovers by itself once its Secret is right."""

    async def seen() -> str:
        status, reason, message = condition(await world.cluster.get("BatchAccountConnection", "archive"), "Ready")
        expect(status == "True", f"Ready={status} ({reason}): {message}")
        return f"archive is {reason}"

    return await until(seen)


async def metrics_tell(world: World) -> str:
    """What was seen and done is in the metrics."""

    async def seen() -> str:
        lines = (await world.metrics()).splitlines()
        corrected = sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith("batchaccess_drift_corrected_total{") and 'outcome="Verified"' in line
        )
        expect(corrected >= _CORRECTIONS, f"{corrected:.0f} verified corrections are counted, not {_CORRECTIONS}")
        return f"{corrected:.0f} corrections verified, {len(lines)} lines at {world.telemetry_url}/metrics"

    return await until(seen)


async def deleted_policy_leaves_its_pool(world: World) -> str:
    """Deleting a policy leaves its pools as they are; another policy may govern them from then on."""
    await world.cluster.delete("BatchPoolAccessPolicy", "close-ssh", "render")
    await world.cluster.delete("BatchPoolAccessPolicy", "render-login", "render")
    message = await pool_says(world, "prod.render-linux", "Compliant", "Unknown", "NotManaged")
    rules = [rule["access"] for rule in rules_of(world, "render-linux")]
    expect(rules[-1:] == ["deny"], f"render-linux has the rules {rules}")

    async def seen() -> str:
        left = [
            line
            for line in (await world.metrics()).splitlines()
            if 'policy="close-ssh"' in line or "render/close-ssh" in line
        ]
        expect(not left, f"metrics still show {left[:1]}")
        return message

    return await until(seen)


async def steady_state_is_silent(world: World) -> str:
    """When nothing changes, a sweep lists each account once and writes nothing, to Azure and to Kubernetes."""
    before = await _writes_once_settled(world)
    world.batch.requests.reset()

    async def seen() -> str:
        lists = world.batch.requests.of("list_pools", account=PROD.name)
        expect(len(lists) >= _QUIET_SWEEPS, f"{len(lists)} sweeps of prodbatch so far")
        return str(len(lists))

    await until(seen, seconds=_QUIET_SECONDS)
    to_azure = [each.operation for each in world.batch.requests.writes()]
    to_kubernetes = await world.cluster.writes_of(_OPERATOR) - before
    expect(not to_azure and not to_kubernetes, f"{to_azure} to Azure, {to_kubernetes} writes to Kubernetes")
    return f"{_QUIET_SWEEPS} sweeps of each account, 0 writes to Azure, 0 to Kubernetes"


async def _writes_once_settled(world: World) -> int:
    """How many writes to Kubernetes there were once the last change has been told everywhere."""
    counts = [await world.cluster.writes_of(_OPERATOR)]

    async def seen() -> str:
        counts.append(await world.cluster.writes_of(_OPERATOR))
        still = len(counts) > _SETTLED_LOOKS and len(set(counts[-_SETTLED_LOOKS:])) == 1
        expect(still, "the operator has not told everything yet")
        return ""

    await until(seen)
    return counts[-1]


STORY: Final = (
    Step("Two accounts are connected and observed", accounts_are_observed),
    Step("A wrong key is said, and disturbs nobody", wrong_key_is_said),
    Step("True exposure is computed", exposure_is_computed),
    Step("Policies are enforced on empty pools", policies_are_enforced),
    Step("Assertions are reported, whoever governs", assertions_are_reported),
    Step("A busy pool that drifts is drained", busy_pool_is_drained),
    Step("A closed port is an explicit Deny", closed_port_is_an_explicit_deny),
    Step("Drift is found and corrected", drift_is_corrected),
    Step("An office range excuses nobody else", office_range_excuses_nobody_else),
    Step("A busy pool is corrected once it is empty", emptied_pool_is_corrected),
    Step("What the service would refuse dies at apply", refused_at_apply),
    Step("A guardrail beats a policy", guardrail_holds),
    Step("Metrics tell what was done", metrics_tell),
    Step("A deleted policy leaves its pools as they are", deleted_policy_leaves_its_pool),
    Step("The corrected key heals its connection", wrong_key_heals),
    Step("The drained pool is back, and no task lost", drained_pool_is_restored),
    Step("Steady state is silent", steady_state_is_silent),
)


async def check_story() -> int:
    """Run the story once and print each step with its verdict; the exit status."""
    started = time.monotonic()
    held = 0
    try:
        async with running() as world:
            for number, step in enumerate(STORY, 1):
                held += await _check_step(number, step, world)
            if held < len(STORY):
                click.echo(f"\nthe operator's log:\n{world.operator_log.read_text(encoding='utf-8')[-_LOG_TAIL:]}")
    except (DemoError, LaunchError) as error:
        click.echo(f"the demo did not start: {error}", err=True)
        return 1
    failed = len(STORY) - held
    click.echo(f"\n{held} passed, {failed} failed in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


async def _check_step(number: int, step: Step, world: World) -> bool:
    started = time.monotonic()
    try:
        seen = await step.run(world)
    except (NotHeldError, RefusedError, aiohttp.ClientError) as error:
        click.echo(f"{number:2}. FAILED {step.title}: {error}")
        return False
    click.echo(f"{number:2}. held   {step.title} ({time.monotonic() - started:.1f} s): {seen}")
    return True
