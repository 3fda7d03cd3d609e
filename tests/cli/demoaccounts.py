"""The accounts of the demo on an emulator whose time stands still, and how the command line is run against them."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from batchaccess.cli import main
from batchemulator import Account, Emulator, ManualClock, make_service, serving_in_thread
from batchemulator.state.endpoints import node_endpoints
from batchemulator.state.pool_document import render_pool
from batchemulator.versions import ApiVersion

PROD = Account(name="prodbatch", key="cHJvZGJhdGNoLWtleS1vZi10aGUtZGVtby1ub3QtYS1zZWNyZXQ=")
DEV = Account(name="devbatch", key="ZGV2YmF0Y2gta2V5LW9mLXRoZS1kZW1vLW5vdC1hLXNlY3JldA==")
EMPTY = Account(name="archivebatch", key="YXJjaGl2ZWJhdGNoLWtleS1vZi10aGUtZGVtby1ub3QtYS1zZWNyZXQ=")
ACCOUNTS = (PROD, DEV, EMPTY)
KEYS = " ".join(f"{account.name}:{account.key}" for account in ACCOUNTS)

NO_CREDENTIALS = {
    "BATCHACCESS_SHARED_KEY": None,
    "AZURE_BATCH_ACCESS_KEY": None,
    "AZURE_BATCH_ACCOUNT": None,
    # Nothing but the Azure CLI is tried, which is not there either: no test asks a metadata service.
    "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",
    "PATH": "/nonexistent",
}
PLAIN: Mapping[str, str | None] = {"NO_COLOR": "1", "FORCE_COLOR": None, "COLUMNS": "100"}
TERMINAL: Mapping[str, str | None] = {"NO_COLOR": "1", "FORCE_COLOR": "1", "COLUMNS": "100", "TERM": "xterm-256color"}

_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_DOCUMENTED = re.compile(r"https://([a-z]+)\.westeurope\.batch\.azure\.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccounts:
    """The running accounts."""

    emulator: Emulator

    def endpoint(self, account: Account = PROD) -> str:
        """An endpoint as the option takes it."""
        return f"{account.name}={self.emulator.url(account)}"

    def documented(self, args: list[str]) -> list[str]:
        """Arguments of the documentation, led to the emulator."""
        return [_DOCUMENTED.sub(lambda found: f"{found[1]}={self.emulator.url(found[1])}", each) for each in args]

    def as_documented(self, output: str) -> str:
        """What was printed, with the endpoints of the documentation."""
        for name, url in self.emulator.urls.items():
            output = output.replace(url, f"https://{name}.westeurope.batch.azure.com")
        return "\n".join(line.rstrip() for line in _STYLES.sub("", output).splitlines())

    def saved(self, account: Account = PROD) -> list[Any]:
        """The pools of an account as `az batch pool list -o json` saves them."""
        pools = self.emulator.state(account).pools
        base = f"https://{account.name}.westeurope.batch.azure.com"
        ids = [pool["id"] for pool in demo_pools()[account.name]]
        found = [pools.get(pool_id) for pool_id in ids]
        return [dict(render_pool(pool, ApiVersion.V2025_06, base)) for pool in found if pool is not None]

    def nodes(self, pool_id: str, account: Account = PROD) -> list[Any]:
        """The nodes of a pool as `az batch node list` saves them, as far as audits look."""
        pool = self.emulator.pool(pool_id, account)
        return [
            {"id": node.id, "endpointConfiguration": {"inboundEndpoints": node_endpoints(account.name, pool, node)}}
            for node in pool.nodes
        ]


def demo_pools() -> dict[str, list[Any]]:
    """The pools of `batchaccess demo` by account."""
    text = resources.files("batchaccess.cli.demo").joinpath("pools.yaml").read_text(encoding="utf-8")
    found: dict[str, list[Any]] = yaml.safe_load(text)
    return found


@contextmanager
def demo_accounts() -> Iterator[DemoAccounts]:
    """Run the accounts of the demo."""
    with serving_in_thread(make_service(ACCOUNTS, pools=demo_pools(), clock=ManualClock())) as emulator:
        yield DemoAccounts(emulator=emulator)


def run(*args: str, env: Mapping[str, str | None] | None = None, stdin: str | bytes | None = None) -> Result:
    """Run the command line inside this process, with the keys of the demo unless `env` says otherwise."""
    return CliRunner().invoke(
        main,
        list(args),
        env={**PLAIN, "BATCHACCESS_SHARED_KEY": KEYS, **(env or {})},
        input=stdin,
        prog_name="batchaccess",
    )


def run_documented(line: str, demo: DemoAccounts, directory: Path) -> Result:
    """Run a line of the documentation as a terminal 100 columns wide would show it; `< FILE` and `> FILE` work."""
    words = shlex.split(line)[1:]
    stdin = target = None
    if ">" in words:
        at = words.index(">")
        target = directory / words[at + 1]
        words = words[:at] + words[at + 2 :]
    if "<" in words:
        at = words.index("<")
        stdin = (directory / words[at + 1]).read_bytes()
        words = words[:at] + words[at + 2 :]
    before = Path.cwd()
    os.chdir(directory)
    try:
        result = run(*demo.documented(words), env=TERMINAL, stdin=stdin)
    finally:
        os.chdir(before)
    if target is not None:
        target.write_text(result.stdout, encoding="utf-8")
        result.stdout_bytes = b""
    return result
