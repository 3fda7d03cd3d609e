"""The options that say where pools come from, the same for every command."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from batchaccess.cli.inputs.sources import PoolSources

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--endpoint",
        "endpoints",
        multiple=True,
        metavar="[NAME=]URL",
        help="Batch account to read, as https://prodbatch.westeurope.batch.azure.com. May be repeated.",
    ),
    click.option(
        "--connection",
        "connections",
        multiple=True,
        metavar="FILE",
        help="BatchAccountConnection objects in YAML; - is stdin. May be repeated.",
    ),
    click.option(
        "--pools",
        "pool_files",
        multiple=True,
        metavar="[ACCOUNT=]FILE",
        help="Saved pools: az batch pool list or show, REST or ARM JSON; - is stdin. May be repeated.",
    ),
    click.option(
        "--nodes",
        "node_files",
        multiple=True,
        metavar="POOL=FILE",
        help="Saved nodes of a pool of --pools: az batch node list. May be repeated.",
    ),
    click.option(
        "--no-nodes",
        "list_nodes",
        flag_value=False,
        default=True,
        help="Do not list the nodes of pools created before 2025-12-01.",
    ),
    click.option(
        "--allow-endpoint-suffix",
        "allow_endpoint_suffixes",
        envvar="BATCHACCESS_ALLOW_ENDPOINT_SUFFIX",
        multiple=True,
        metavar="SUFFIX",
        help="Host suffix that endpoints may end in besides Azure's. May be repeated.",
    ),
    click.option(
        "--ca-file",
        envvar="BATCHACCESS_CA_FILE",
        metavar="FILE",
        help="PEM file of authorities trusted besides the system's.",
    ),
)


def pool_source_options(command: _Command) -> _Command:
    """Add the options to a command, which gets them as one `PoolSources` named `sources`."""

    @wraps(command)
    def with_sources(
        *,
        endpoints: tuple[str, ...],
        connections: tuple[str, ...],
        pool_files: tuple[str, ...],
        node_files: tuple[str, ...],
        list_nodes: bool,
        allow_endpoint_suffixes: tuple[str, ...],
        ca_file: str | None,
        **others: Any,  # noqa: ANN401 whatever the command declares itself
    ) -> Any:  # noqa: ANN401 whatever the command returns
        sources = PoolSources(
            endpoints=endpoints,
            connections=connections,
            pool_files=pool_files,
            node_files=node_files,
            list_nodes=list_nodes,
            allow_endpoint_suffixes=allow_endpoint_suffixes,
            ca_file=ca_file,
        )
        return command(sources=sources, **others)

    decorated: Any = with_sources
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return] # click's decorators return what they were given
