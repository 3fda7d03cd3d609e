"""The emulator alone: `python -m batchemulator` in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from batchemulator import DEV_ACCOUNT
from batchemulator.cli import emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def started(*options: str) -> Iterator[tuple[str, list[str]]]:
    """A running emulator's URL and the other lines it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "batchemulator", "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
        assert url.startswith("http"), "the emulator did not start"
        accounts = max(1, options.count("--account"))
        yield url, [process.stdout.readline().strip() for _ in range(accounts)]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        if process.stdout is not None:
            process.stdout.close()


def fetch(url: str, **headers: str) -> Any:  # noqa: ANN401 - whatever JSON there is
    request = urllib.request.Request(url, headers={"Authorization": "Bearer t", **headers})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        return json.loads(answer.read())


def test_it_starts_with_the_development_account_and_says_its_key() -> None:
    with started() as (url, lines):
        assert lines == [f"account {DEV_ACCOUNT.name}: 0 pools key {DEV_ACCOUNT.key}"]
        assert fetch(f"{url}/pools?api-version=2025-06-01")["value"] == []


def test_it_serves_several_accounts_with_pools_from_a_file_and_assumptions(tmp_path: Path) -> None:
    pools = tmp_path / "pools.yaml"
    pools.write_text("one: [{id: a}]\ntwo: [{id: b}, {id: c}]\n", encoding="utf-8")
    options = (
        "--account",
        "one:b25l",
        "--account",
        "two:dHdv",
        "--pools",
        str(pools),
        "--assume",
        "patch-depth=merges",
    )
    with started(*options, "--time-scale", "50") as (url, lines):
        assert lines == ["account one: 1 pools", "account two: 2 pools"]
        port = url.rsplit(":", 1)[-1]
        listed = fetch(f"{url}/pools?api-version=2025-06-01", Host=f"two.localhost:{port}")
        assert [pool["id"] for pool in listed["value"]] == ["b", "c"]
        assert fetch(f"{url}/emulator/assumptions")["patch_depth"] == "merges"


@pytest.mark.parametrize("content", ['[{"id": "a"}]', '{"value": [{"id": "a"}]}', '{"devaccount": [{"id": "a"}]}'])
def test_a_pool_file_is_a_list_an_answer_or_a_mapping(content: str, tmp_path: Path) -> None:
    from batchemulator.seeds import read_pool_file  # noqa: PLC0415 - only this test reads one itself

    path = tmp_path / "pools.json"
    path.write_text(content, encoding="utf-8")
    assert read_pool_file(path, "devaccount") == {"devaccount": [{"id": "a"}]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--account", "nokey"], "NAME:BASE64KEY"),
        (["--assume", "nothing"], "NAME=VALUE"),
        (["--assume", "patch_depth=deep"], "one of replaces, merges"),
        (["--time-scale", "0"], "greater than 0"),
        (["--tls-cert", __file__], "go together"),
        (["--pools", __file__], "YAML"),
    ],
)
def test_wrong_options_are_refused_with_a_reason(options: list[str], message: str) -> None:
    outcome = CliRunner().invoke(emulator, options)
    assert outcome.exit_code == 2
    assert message in outcome.output
