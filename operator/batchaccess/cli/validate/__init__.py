"""`batchaccess validate`: everything wrong with policies and connections, before anything sees them."""

import sys

import click

from batchaccess.cli.manifests import Declared, Mistake, Weight, checks, manifest_option, read_declared
from batchaccess.cli.outputs import ExitStatus, Format, Output, exit_status, output_options
from batchaccess.cli.validate.policies import policy_mistakes
from batchaccess.cli.validate.report import show_validation, validation_report, validation_sarif
from batchaccess.cli.validate.together import joint_mistakes

_WEIGHTS = {weight.value.lower(): weight for weight in Weight}
_BY_WEIGHT = (Weight.ERROR, Weight.WARNING, Weight.NOTE)


@click.command()
@manifest_option(required=True)
@click.option(
    "--fail-on",
    type=click.Choice(list(_WEIGHTS)),
    default="error",
    show_default=True,
    help="The least weight of a mistake that ends 1.",
)
@output_options(Format.TABLE, Format.JSON, Format.YAML, Format.SARIF)
def validate(*, filenames: tuple[str, ...], fail_on: str, output: Output) -> None:
    """Check policies and connections without a cluster and without an account.

    First what the API server would refuse, with fields it does not know; then what only the operator sees: rules
    without effect, assertions that a policy itself breaks, policies that claim the same pools, refusals by connections.

    Ends 0 with nothing to mend, 1 with mistakes, 2 if a file cannot be read.

    \b
    Examples:
      batchaccess validate -f policies/
      kustomize build . | batchaccess validate -f -
    """  # noqa: D301 the backspace is click's mark for lines to be left alone
    declared = read_declared(filenames)
    mistakes = validated(declared)
    unread = any(mistake.check is checks.UNREADABLE for mistake in mistakes)
    grave = _BY_WEIGHT[: _BY_WEIGHT.index(_WEIGHTS[fail_on]) + 1]
    status = exit_status(found=any(mistake.weight in grave for mistake in mistakes), failed=unread)
    _answer(declared, mistakes, output, status)
    sys.exit(status)


def validated(declared: Declared) -> list[Mistake]:
    """Every mistake, by file and line; files without any object of ours are one, since they cannot be meant."""
    found = [*declared.mistakes]
    for placed in declared.policies:
        found += policy_mistakes(placed)
    found += joint_mistakes(declared)
    if not declared.objects and not found:
        message = "no file holds a BatchPoolAccessPolicy or BatchAccountConnection of batchaccess.dev"
        found.append(Mistake(check=checks.UNREADABLE, weight=Weight.ERROR, file="-f", line=None, message=message))
    return sorted(found, key=lambda mistake: (mistake.file, mistake.line or 0))


def _answer(declared: Declared, mistakes: list[Mistake], output: Output, status: ExitStatus) -> None:
    match output.format:
        case Format.TABLE:
            show_validation(declared, mistakes, output)
        case Format.SARIF:
            output.document(validation_sarif(mistakes, status))
        case Format.JSON | Format.YAML:
            output.document(validation_report(declared, mistakes))
