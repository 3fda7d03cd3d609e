"""`batchaccess import`: policies that declare exactly what pools have, to adopt them without changing anything."""

import sys
from difflib import get_close_matches

import click

from batchaccess.cli.import_.output import as_document, as_yaml, unsaid
from batchaccess.cli.import_.policies import ImportedPolicy, import_policy, policy_name
from batchaccess.cli.inputs import (
    Failure,
    PoolSources,
    ReadAccount,
    Reading,
    ReadPool,
    pool_source_options,
    read_sources,
)
from batchaccess.cli.outputs import Format, Output, Problem, exit_status, output_options
from batchaccess.core.globs import IdGlobs
from batchaccess.core.model import ObservedPool

_LONGEST_NUMBERED = 58
"""Characters of a name that leave room for a number behind it."""


@click.command(name="import")
@click.argument("pools", metavar="[ACCOUNT/]POOL...", nargs=-1, required=True)
@pool_source_options
@click.option("--name", help="Name of the policy. Default: made of the pool's id.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of the policies.")
@click.option("--as", "connection", metavar="NAME", help="BatchAccountConnection to name. Default: as the account.")
@output_options(Format.YAML, Format.JSON)
def import_(
    *,
    pools: tuple[str, ...],
    sources: PoolSources,
    name: str | None,
    namespace: str,
    connection: str | None,
    output: Output,
) -> None:
    """Write policies that declare exactly what pools have, in mode Audit.

    POOL is an id or a glob such as 'render-*'. A plan of the policies shows no drift.

    Ends 0 if everything is declared, 1 if a policy cannot say all that a pool has, 2 if anything could not be read.

    \b
    Examples:
      batchaccess import render-linux --pools pools.json > render-linux.yaml
      batchaccess import '*' --as prod-weu --endpoint https://prodbatch.westeurope.batch.azure.com
    """  # noqa: D301 the backspace is click's mark for lines to be left alone
    wanted = IdGlobs.of(each.rpartition("/")[2] for each in pools)

    def is_wanted(pool: ObservedPool) -> bool:
        return wanted.match(pool.id)

    with output.steps() as steps:
        reading = read_sources(sources, steps=steps, wanted=is_wanted)
    meant = [(account, read) for account, read in reading.pools if _is_meant(account.name, read.pool.id, pools)]
    _check(meant, pools, name, reading, output)
    names = [name] if name is not None else _distinct([policy_name(read.pool.id) for _, read in meant])
    found = [
        import_policy(account.name, read, connection=connection or account.name, namespace=namespace, name=own)
        for (account, read), own in zip(meant, names, strict=True)
    ]
    if output.format is Format.YAML:
        click.echo(as_yaml(found), nl=False)
    else:
        output.document(as_document(found))
    _warn(found, output)
    output.complain(reading.problems)
    sys.exit(exit_status(found=not all(each.is_whole for each in found), failed=bool(reading.problems)))


def _is_meant(account: str, pool_id: str, pools: tuple[str, ...]) -> bool:
    named = (each.rpartition("/") for each in pools)
    return any(owner in {"", account} and IdGlobs.of([glob]).match(pool_id) for owner, _, glob in named)


def _distinct(names: list[str]) -> list[str]:
    """The names with a number behind those that come again: ids may differ in what names cannot say."""
    return [
        name if names.index(name) == index else f"{name[:_LONGEST_NUMBERED]}-{names[:index].count(name) + 1}"
        for index, name in enumerate(names)
    ]


def _check(
    meant: list[tuple[ReadAccount, ReadPool]],
    pools: tuple[str, ...],
    name: str | None,
    reading: Reading,
    output: Output,
) -> None:
    """Refuse to answer with half of what was asked for.

    Raises:
        Problem: a pool was not found, or one name was given for several policies.
    """
    for asked in pools:
        if not any(_is_meant(account.name, read.pool.id, (asked,)) for account, read in meant):
            output.complain(reading.problems)
            raise Problem(_not_found(asked, reading))
    if name is not None and len(meant) > 1:
        raise Problem(f"--name is for one pool, and {len(meant)} were found")


def _not_found(asked: str, reading: Reading) -> str:
    ids = sorted({read.pool.id for _, read in reading.pools})
    close = get_close_matches(asked.rpartition("/")[2], ids, n=3)
    where = ", ".join(account.name for account in reading.accounts) or "what could be read"
    return f"there is no pool {asked} in {where}" + (f"; did you mean {' or '.join(close)}?" if close else "")


def _warn(found: list[ImportedPolicy], output: Output) -> None:
    """Say on stderr, too, what a policy does not say: stdout mostly goes to a file."""
    output.warn(
        Failure(source=f"{each.account}/{each.pool_id}", message=told) for each in found for told in unsaid(each)
    )
