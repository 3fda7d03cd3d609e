"""`batchaccess run`: the operator, in a cluster or beside one."""

import sys
from pathlib import Path
from typing import Any

import click

from batchaccess.settings import DEFAULT_NAMESPACE, LogLevel, Settings
from batchaccess.telemetry.logs import LogFormat

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(context_settings={"auto_envvar_prefix": "BATCHACCESS"})
@click.option(
    "--kubeconfig",
    type=_FILE,
    help="Cluster to work in.  [default: the one it runs in, else the default kubeconfig]",
)
@click.option(
    "--namespace",
    default=DEFAULT_NAMESPACE,
    show_default=True,
    help="The operator's own namespace, whose Secrets connections may name.",
)
@click.option("--telemetry-host", default="127.0.0.1", show_default=True, help="Address of metrics and probes.")
@click.option(
    "--telemetry-port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port of metrics and probes; 0 picks a free one.",
)
@click.option(
    "--status-page/--no-status-page",
    default=False,
    show_default=True,
    help="Show the read-only status page at / of the same port; whoever reaches the port sees it.",
)
@click.option(
    "--allow-endpoint-suffix",
    "allow_endpoint_suffixes",
    envvar="BATCHACCESS_ALLOW_ENDPOINT_SUFFIX",
    multiple=True,
    metavar="SUFFIX",
    help="Host suffix that account endpoints may end in besides Azure's. May be repeated.",
)
@click.option(
    "--ca-file", type=_FILE, help="PEM file of authorities trusted besides the system's, for Batch and logins."
)
@click.option(
    "--leader-elect",
    is_flag=True,
    help="Agree with other replicas, by a Lease in --namespace, on the one that works.",
)
@click.option(
    "--resync-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    show_default=True,
    help="Time between whole readings of the Kubernetes API beside the watches.",
)
@click.option(
    "--log-format",
    type=click.Choice(LogFormat, case_sensitive=False),
    default=LogFormat.JSON,
    show_default=True,
    help="How log lines look.",
)
@click.option(
    "--log-level",
    type=click.Choice(LogLevel, case_sensitive=False),
    default=LogLevel.INFO,
    show_default=True,
    help="Lowest level of log lines.",
)
def run(**options: Any) -> None:  # noqa: ANN401 click hands over what the decorators declare
    """Run the operator until SIGTERM or SIGINT.

    Every option may come from the environment, as BATCHACCESS_KUBECONFIG for --kubeconfig.

    Ends 0 after a signal, 1 when it cannot go on.
    """
    from batchaccess.app import run as run_operator  # noqa: PLC0415 kopf and the Azure SDK take a second to import

    sys.exit(run_operator(Settings(**options)))
