"""`batchaccess audit`: who can reach which pools of live accounts or saved files, judged without any policy."""

import sys

import click

from batchaccess.cli.audit.evaluation import Audit, evaluate
from batchaccess.cli.audit.report import audit_report
from batchaccess.cli.audit.sarif import audit_sarif
from batchaccess.cli.audit.table import show_audit
from batchaccess.cli.inputs import PoolSources, pool_source_options, read_sources
from batchaccess.cli.outputs import ExitStatus, Format, Output, exit_status, output_options
from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.findingrules import FindingKind

_KINDS = {kind.value.lower(): kind for kind in FindingKind}


@click.command()
@pool_source_options
@click.option(
    "--trusted",
    multiple=True,
    metavar="CIDR",
    help="Public addresses that are meant to get in, such as those of an office: no exposure. May be repeated.",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(_KINDS)),
    default="exposure",
    show_default=True,
    help="The least kind of finding that ends 1.",
)
@click.option("--all", "everything", is_flag=True, help="Cut nothing short in the table.")
@output_options(Format.TABLE, Format.JSON, Format.YAML, Format.SARIF)
def audit(*, sources: PoolSources, output: Output, trusted: tuple[str, ...], fail_on: str, everything: bool) -> None:
    """Show who can reach the nodes of Azure Batch pools, and what to do about it.

    Nothing is ever written to an account. No policy is needed: every endpoint open to the Internet is a finding.

    Ends 0 with nothing found, 1 with exposure, 2 if anything could not be read.

    \b
    Examples:
      batchaccess audit --endpoint https://prodbatch.westeurope.batch.azure.com
      az batch pool list -o json | batchaccess audit --pools -
    """  # noqa: D301 the backspace is click's mark for lines to be left alone
    meant = _addresses(trusted)
    with output.steps() as steps:
        reading = read_sources(sources, steps=steps)
    found = evaluate(reading, trusted=meant)
    status = exit_status(found=found.found(_KINDS[fail_on]), failed=bool(found.problems))
    _answer(found, output, status, everything=everything)
    output.complain(found.problems)
    sys.exit(status)


def _answer(found: Audit, output: Output, status: ExitStatus, *, everything: bool) -> None:
    match output.format:
        case Format.TABLE:
            if not output.quiet:
                show_audit(found, output, everything=everything)
        case Format.SARIF:
            output.document(audit_sarif(found, status))
        case Format.JSON | Format.YAML:
            output.document(audit_report(found))


def _addresses(texts: tuple[str, ...]) -> AddressSet:
    together = NO_ADDRESSES
    for text in texts:
        try:
            together |= AddressSet.parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--trusted") from None
    return together
