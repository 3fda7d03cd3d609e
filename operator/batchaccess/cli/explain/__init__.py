"""`batchaccess explain`: which rule of a pool decides about whom, and whether one source gets in."""

import sys
from difflib import get_close_matches

import click

from batchaccess.cli.explain.answers import ExplainedPool, explain_pool
from batchaccess.cli.explain.report import explanation_report
from batchaccess.cli.explain.sources import GivenSource
from batchaccess.cli.explain.table import show_explanation
from batchaccess.cli.inputs import PoolSources, Reading, pool_source_options, read_sources
from batchaccess.cli.outputs import Format, Output, Problem, exit_status, output_options


class _SourceType(click.ParamType[GivenSource]):
    """A source as an option's value."""

    name = "source"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> GivenSource:
        """Read it, or say what is wrong with it."""
        if isinstance(value, GivenSource):
            return value
        try:
            return GivenSource.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("pool", metavar="[ACCOUNT/]POOL")
@pool_source_options
@click.option(
    "--from", "source", type=_SourceType(), metavar="IP[:PORT]", help="Answer for this source address and source port."
)
@click.option("--port", type=click.IntRange(0, 65535), help="Answer for this backend port only, as 22.")
@output_options(Format.TABLE, Format.JSON, Format.YAML)
def explain(*, pool: str, sources: PoolSources, output: Output, source: GivenSource | None, port: int | None) -> None:
    """Show rule by rule who gets in to the nodes of a pool, and why.

    Rules are shown in the order in which they are tried, each with what it decides given those before it.

    Ends 0, or 2 if the pool or anything else could not be read.

    \b
    Examples:
      batchaccess explain render-linux --pools pools.json
      batchaccess explain prodbatch/render-linux --endpoint URL --from 203.0.113.7 --port 22
    """  # noqa: D301 the backspace is click's mark for lines to be left alone
    account, _, pool_id = pool.rpartition("/")
    with output.steps() as steps:
        reading = read_sources(sources, steps=steps, wanted=lambda each: each.id.lower() == pool_id.lower())
    explained = [
        explain_pool(owner, read, source=source, port=port)
        for owner, read in reading.pools
        if read.pool.id.lower() == pool_id.lower() and account in {"", owner.name}
    ]
    problems = reading.problems
    if explained:
        _answer(explained, reading, output)
    output.complain(problems)
    if not explained:
        raise Problem(_not_found(pool, reading))
    sys.exit(exit_status(found=False, failed=bool(problems)))


def _answer(explained: list[ExplainedPool], reading: Reading, output: Output) -> None:
    if not output.for_people:
        output.document(explanation_report(explained, reading.problems))
    elif not output.quiet:
        for each in explained:
            show_explanation(each, output)


def _not_found(pool: str, reading: Reading) -> str:
    ids = sorted({read.pool.id for _, read in reading.pools})
    close = get_close_matches(pool.rpartition("/")[2], ids, n=3)
    where = ", ".join(account.name for account in reading.accounts) or "what could be read"
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"there is no pool {pool} in {where}{hint}"
