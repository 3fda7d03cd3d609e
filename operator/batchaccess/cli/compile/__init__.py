"""`batchaccess compile`: the networkConfiguration that a policy means, to be pasted where pools are created."""

import sys
from collections.abc import Iterator

import click

from batchaccess.cli.compile.forms import for_resource_manager, network_configuration, open_questions
from batchaccess.cli.inputs import Failure
from batchaccess.cli.manifests import PlacedPolicy, Weight, manifest_option, read_declared
from batchaccess.cli.outputs import Format, Output, Problem, exit_status, output_options
from batchaccess.core.declared import DesiredAccess, Unlisted


@click.command(name="compile")
@manifest_option(required=True)
@click.option("--policy", metavar="[NAMESPACE/]NAME", help="Which policy, where there are several.")
@click.option("--arm", is_flag=True, help="In the spelling of Azure Resource Manager: for ARM, Bicep and azapi.")
@output_options(Format.JSON, Format.YAML)
def compile_(*, filenames: tuple[str, ...], policy: str | None, arm: bool, output: Output) -> None:
    """Print the networkConfiguration that a policy means, for a new pool.

    What the policy does not declare is left out, so that the service's defaults count.

    Ends 0, or 2 if the policy cannot be read or there is none.

    \b
    Examples:
      batchaccess compile -f ssh.yaml > network.json
      jq -s '.[0] * .[1]' pool.json network.json > whole.json && az batch pool create --json-file whole.json
      batchaccess compile -f ssh.yaml --arm -o yaml
    """  # noqa: D301 the backspace is click's mark for lines to be left alone
    placed = _chosen(filenames, policy, output)
    body = network_configuration(placed.policy)
    output.document({"networkConfiguration": for_resource_manager(body) if arm else body})
    source = f"{placed.manifest.file}: {placed.policy.key}"
    output.warn(Failure(source=source, message=message) for message in _remarks(placed))
    sys.exit(exit_status(found=False, failed=False))


def _chosen(filenames: tuple[str, ...], name: str | None, output: Output) -> PlacedPolicy:
    """The one policy that is meant.

    Raises:
        Problem: there is none, there are several, or the files have mistakes.
    """
    declared = read_declared(filenames)
    errors = [mistake for mistake in declared.mistakes if mistake.weight is Weight.ERROR]
    output.complain(
        Failure(source=each.place, message=f"{each.path}: {each.message}" if each.path else each.message)
        for each in errors
    )
    if errors:
        raise Problem(f"{len(errors)} mistakes; nothing was compiled")
    found = [placed for placed in declared.policies if name is None or name in _names(placed)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(str(placed.policy.key) for placed in declared.policies)
    if found:
        raise Problem(f"there are {len(found)} policies; say which one with --policy: {known}")
    raise Problem(
        f"there is no policy {name}; there is {known}" if known else "the files hold no BatchPoolAccessPolicy"
    )


def _names(placed: PlacedPolicy) -> tuple[str, str]:
    return str(placed.policy.key), placed.policy.key.name


def _remarks(placed: PlacedPolicy) -> Iterator[str]:
    access = placed.policy.access
    if access == DesiredAccess():
        yield "declares no access, so there is nothing to configure"
    if access.endpoints is not None and access.endpoints.unlisted is Unlisted.KEEP:
        yield "endpoints that it does not list are kept (unlisted: Keep); of a new pool there are none"
    if access.endpoints is None and access != DesiredAccess():
        yield "declares no endpoints, so the service's default counts: none since 2025-12-01"
    for violation in open_questions(placed.policy):
        yield f"the service refuses a new pool like this: {violation}"
