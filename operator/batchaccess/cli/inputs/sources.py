"""From what the user named to what was read."""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import click

from batchaccess.cli.inputs.connections import read_connections
from batchaccess.cli.inputs.files import STDIN, NamedFile, read_node_files, read_pool_file
from batchaccess.cli.inputs.identities import connection_to, with_environment_key
from batchaccess.cli.inputs.live import LiveSettings, gather
from batchaccess.cli.inputs.reading import Failure, Reading, Steps
from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import ObservedPool
from batchaccess.ports import PortError

_NAMED_ENDPOINT: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,62})=(https?://.*)")
_HOST: Final = re.compile(r"https?://([^./:\]]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSources:
    """Where pools are to be read, as given on the command line."""

    endpoints: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    pool_files: tuple[str, ...] = ()
    node_files: tuple[str, ...] = ()
    list_nodes: bool = True
    allow_endpoint_suffixes: tuple[str, ...] = ()
    ca_file: str | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.endpoints or self.connections or self.pool_files)

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            click.UsageError: there is no source, or stdin is named twice.
        """
        if not self:
            raise click.UsageError("say where the pools are: --endpoint URL, --connection FILE or --pools FILE")
        paths = [*self.connections, *(NamedFile.parse(text).path for text in (*self.pool_files, *self.node_files))]
        if paths.count(STDIN) > 1:
            raise click.UsageError("only one input can be read from stdin (-)")

    def live_settings(self, wanted: Callable[[ObservedPool], bool], environment: Mapping[str, str]) -> LiveSettings:
        """How live accounts are read for these sources."""
        return LiveSettings(
            list_nodes=self.list_nodes,
            wanted=wanted,
            allow_endpoint_suffixes=self.allow_endpoint_suffixes,
            ca_file=self.ca_file,
            environment=environment,
        )


def read_sources(
    sources: PoolSources,
    *,
    steps: Steps | None = None,
    wanted: Callable[[ObservedPool], bool] = lambda _: True,
    environment: Mapping[str, str] | None = None,
) -> Reading:
    """Read everything that is named: connections, endpoints, then files, each in the order given.

    Args:
        sources: what to read.
        steps: told how far it has come.
        wanted: which pools matter, so that no nodes of others are listed; all pools are returned anyway.
        environment: where secrets come from, by default that of the program.

    Raises:
        click.UsageError: the sources make no sense together.
    """
    sources.check()
    surroundings = os.environ if environment is None else environment
    declared, failures = _declared(sources, surroundings)
    settings = sources.live_settings(wanted, surroundings)
    live = asyncio.run(gather(declared, settings, steps)) if declared else Reading()
    nodes, node_failures = read_node_files(tuple(NamedFile.parse(text) for text in sources.node_files))
    saved = [read_pool_file(NamedFile.parse(text), nodes) for text in sources.pool_files]
    known = {each.pool.id.lower() for reading in saved for account in reading.accounts for each in account.pools}
    strangers = tuple(
        Failure(source=f"--nodes {pool_id}", message="no pool of that id is in the files given with --pools")
        for pool_id in nodes
        if pool_id not in known
    )
    return Reading(
        accounts=(*live.accounts, *(account for reading in saved for account in reading.accounts)),
        failures=(
            *failures,
            *live.failures,
            *(failure for reading in saved for failure in reading.failures),
            *node_failures,
            *strangers,
        ),
    )


def _declared(sources: PoolSources, environment: Mapping[str, str]) -> tuple[list[AccountConnection], list[Failure]]:
    declared: list[AccountConnection] = []
    failures: list[Failure] = []
    for path in sources.connections:
        found, wrong = read_connections(path)
        failures += wrong
        for each in found:
            try:
                declared.append(with_environment_key(each, environment))
            except PortError as problem:
                failures.append(Failure(source=each.endpoint, message=problem.message))
    for text in sources.endpoints:
        try:
            declared.append(_by_endpoint(text, environment))
        except PortError as problem:
            failures.append(Failure(source=text, message=problem.message))
    return declared, failures


def _by_endpoint(text: str, environment: Mapping[str, str]) -> AccountConnection:
    """`https://prodbatch.westeurope.batch.azure.com`, or `prodbatch=https://...` where the host does not say."""
    named = _NAMED_ENDPOINT.fullmatch(text)
    if named is not None:
        return connection_to(named[1], named[2].rstrip("/"), environment)
    url = text if "://" in text else f"https://{text}"
    host = _HOST.match(url)
    return connection_to(host[1] if host else url, url.rstrip("/"), environment)
