"""`batchaccess plan`: what policies would do to the pools of live accounts or saved files, before they do it."""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from batchaccess.cli.inputs import Failure, PoolSources, Reading, gather, pool_source_options, read_sources
from batchaccess.cli.inputs.files import STDIN
from batchaccess.cli.inputs.live import count_running_tasks
from batchaccess.cli.manifests import manifest_option
from batchaccess.cli.outputs import Format, Output, exit_status, output_options
from batchaccess.cli.outputs.progress import ShownSteps
from batchaccess.cli.plan.accounts import connected_accounts
from batchaccess.cli.plan.declared import PlannedObjects, objects_in_cluster, objects_in_files
from batchaccess.cli.plan.evaluation import Plan, evaluate
from batchaccess.cli.plan.report import plan_report
from batchaccess.cli.plan.sagas import OperatorsDecisions
from batchaccess.cli.plan.table import show_plan
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.globs import IdGlobs
from batchaccess.core.model import ObservedPool
from batchaccess.core.selection import connects


@click.command()
@manifest_option(required=False)
@click.option("--from-cluster", is_flag=True, help="Plan what the cluster holds; -f then shows what a change would do.")
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    help="For --from-cluster. Default: KUBECONFIG, else ~/.kube/config.",
)
@pool_source_options
@click.option(
    "--as",
    "stands_for",
    multiple=True,
    metavar="[ACCOUNT=]NAME",
    help="The BatchAccountConnection that an account stands for. May be repeated.",
)
@click.option("--all", "everything", is_flag=True, help="Cut nothing short in the table.")
@output_options(Format.TABLE, Format.JSON, Format.YAML)
def plan(
    *,
    filenames: tuple[str, ...],
    from_cluster: bool,
    kubeconfig: Path | None,
    sources: PoolSources,
    stands_for: tuple[str, ...],
    everything: bool,
    output: Output,
) -> None:
    """Show what policies would do to pools: drift, exposure before and after, the step and its cost.

    Nothing is ever written, neither to an account nor to a cluster. Without --endpoint, --connection or --pools the
    accounts of the BatchAccountConnections among the manifests are read.

    Ends 0 with no drift, 1 with drift, a broken assertion or a refused policy, 2 if anything could not be read.

    \b
    Examples:
      batchaccess plan -f policies/ --pools prod-weu=pools.json
      kustomize build . | batchaccess plan -f - --endpoint https://prodbatch.westeurope.batch.azure.com
      kubectl batchaccess plan --from-cluster
    """  # noqa: D301 the backspace is click's mark for lines to be left alone
    _check(filenames, sources, from_cluster=from_cluster)
    objects = _objects(filenames, kubeconfig, from_cluster=from_cluster)
    with output.steps() as steps:
        reading = _read(objects, sources, steps)
        found = _with_running_tasks(_plan(objects, reading, sources, stands_for), sources)
    if output.for_people:
        if not output.quiet:
            show_plan(found, output, everything=everything)
    else:
        output.document(plan_report(found))
    output.complain(found.problems)
    sys.exit(exit_status(found=found.is_found, failed=bool(found.problems)))


def _check(filenames: tuple[str, ...], sources: PoolSources, *, from_cluster: bool) -> None:
    if not filenames and not from_cluster:
        raise click.UsageError("say what to plan: -f FILE or --from-cluster")
    if STDIN in filenames and any(each.rpartition("=")[2] == STDIN for each in _paths(sources)):
        raise click.UsageError("only one input can be read from stdin (-)")


def _paths(sources: PoolSources) -> Sequence[str]:
    return (*sources.connections, *sources.pool_files, *sources.node_files)


def _objects(filenames: tuple[str, ...], kubeconfig: Path | None, *, from_cluster: bool) -> PlannedObjects:
    found = objects_in_cluster(kubeconfig) if from_cluster else PlannedObjects(namespaces={})
    return objects_in_files(filenames).over(found) if filenames else found


def _read(objects: PlannedObjects, sources: PoolSources, steps: ShownSteps) -> Reading:
    """The pools of the accounts that were named; else those of the connections that policies use."""
    wanted = IdGlobs.of(glob for policy in objects.policies for glob in policy.pools.ids)

    def concerns_policies(pool: ObservedPool) -> bool:
        return wanted.match(pool.id)

    used = _used(objects.policies, objects.connections)
    if sources or not objects.connections:
        return read_sources(sources, steps=steps, wanted=concerns_policies)
    return asyncio.run(gather(used, sources.live_settings(concerns_policies, os.environ), steps))


def _used(policies: Sequence[AccessPolicy], connections: Sequence[AccountConnection]) -> list[AccountConnection]:
    """The connections that some policy names: no other account is asked anything."""
    return [each for each in connections if any(connects(policy.connections, each) for policy in policies)]


def _plan(objects: PlannedObjects, reading: Reading, sources: PoolSources, stands_for: tuple[str, ...]) -> Plan:
    by_hand = [
        account.connection.endpoint
        for account in reading.accounts
        if account.connection is not None and any(_host(account.source) in each for each in sources.endpoints)
    ]
    accounts = connected_accounts(
        reading.accounts,
        objects.connections,
        objects.policies,
        by_hand=by_hand,
        names=_said_names(stands_for, reading),
    )
    now = datetime.now(UTC)
    connections = (*objects.connections, *(each.connection for each in accounts))
    return evaluate(
        accounts,
        objects.policies,
        namespace_labels=objects.namespace_labels,
        decide=OperatorsDecisions(objects.written, connections, now).decide,
        problems=(*objects.problems, *reading.problems),
        now=now,
    )


def _said_names(stands_for: tuple[str, ...], reading: Reading) -> dict[str, str]:
    """The connection by account; without an account it is meant for the only one.

    Raises:
        click.UsageError: there are several accounts, or none of that name was read.
    """
    read = [account.name for account in reading.accounts]
    found: dict[str, str] = {}
    for text in stands_for:
        account, equals, name = text.rpartition("=")
        if read and not equals and len(read) > 1:
            raise click.UsageError(f"--as {text}: say of which account, as --as {read[0]}={text}")
        if read and equals and account not in read:
            raise click.UsageError(f"--as {text}: no account {account} was read, but {', '.join(read)}")
        found[account if equals else "".join(read)] = name
    return found


def _with_running_tasks(found: Plan, sources: PoolSources) -> Plan:
    """The plan with the tasks that would be disturbed, as far as accounts can be asked."""
    counts: dict[tuple[str, str], int] = {}
    problems: list[Failure] = []
    settings = sources.live_settings(lambda _: False, os.environ)
    for account, pool_ids in found.to_be_emptied():
        if account.read.connection is not None:
            running, failures = asyncio.run(count_running_tasks(account.read.connection, pool_ids, settings))
            counts |= {(account.connection, pool_id): count for pool_id, count in running.items()}
            problems += failures
    return found.with_running_tasks(counts, problems)


def _host(endpoint: str) -> str:
    return endpoint.partition("://")[2]
