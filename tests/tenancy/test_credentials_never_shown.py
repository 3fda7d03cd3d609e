"""Secrets rotate under a running operator, and are shown nowhere: log at debug level, objects, pages, process."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from batchaccess.settings import Settings
from batchemulator.accounts import DEV_ACCOUNT, Account
from tests.support.kube import policy_manifest
from tests.tenancy.clusterworld import World, clusterworld, connection_to, secret, shared_key

FIRST = DEV_ACCOUNT
SECOND = replace(
    DEV_ACCOUNT, key=base64.b64encode(b"the second key of the account, as long as real ones are: 64 byte").decode()
)
WRONG = replace(
    DEV_ACCOUNT, key=base64.b64encode(b"a key that the account never had, as long as real ones are: 64 b").decode()
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose key was rotated twice, with a wrong key in between."""
    with clusterworld(tmp_path_factory.mktemp("credentials"), "render-1") as made:
        made.apply(secret("weu", shared_key(FIRST)), connection_to(made.batch.url()), policy_manifest())
        ready(made, "True", "Connected", mark="first")
        made.apply(secret("weu", shared_key(WRONG)))
        rotate(made, SECOND)
        ready(made, "False", "AuthenticationFailed", mark="wrong")
        made.apply(secret("weu", shared_key(SECOND)))
        ready(made, "True", "Connected", mark="second")
        yield made


def ready(world: World, status: str, reason: str, *, mark: str) -> None:
    """The connection says so, after a sweep that was asked for; the secret is read again at most every five seconds."""
    attempts = iter(range(1000))

    def says() -> bool:
        number = next(attempts)
        if number % 20 == 0:
            world.ask_for_sweep(f"{mark}-{number}")
        return world.condition("bac", "prod-weu", "Ready") == (status, reason)

    world.until(says, f"the connection to be {status}/{reason}")


def test_a_key_is_rotated_without_a_restart(world: World) -> None:
    assert world.process.poll() is None
    assert world.condition("bac", "prod-weu", "Ready") == ("True", "Connected")
    assert "AuthenticationFailed" in world.log


def rotate(world: World, account: Account) -> None:
    """Give the emulated account another key."""
    accounts = world.batch.service.gate.accounts
    assert isinstance(accounts, dict)
    accounts[account.name] = account


def test_credentials_are_shown_nowhere(world: World) -> None:
    pid = world.process.pid
    places = {
        "the log": world.log,
        "objects and events": world.everything_in_kubernetes(),
        "pages and metrics": world.pages(),
        "the command line": Path(f"/proc/{pid}/cmdline").read_text(),
        "the environment": Path(f"/proc/{pid}/environ").read_text(),
    }
    assert "--log-level=debug" in places["the command line"]
    assert "AuthenticationFailed" in places["the log"]
    assert "batchaccess_leader 1.0" in places["pages and metrics"]
    for place, text in places.items():
        for name, hidden in everything_hidden(world).items():
            assert hidden not in text, f"{name} is in {place}"


def everything_hidden(world: World) -> dict[str, str]:
    keys = {"the first key": FIRST.key, "the second key": SECOND.key, "the wrong key": WRONG.key}
    plain = {f"{name}, decoded": base64.b64decode(key).decode() for name, key in keys.items()}
    encoded = {
        f"{name}, as the Secret has it": base64.b64encode(f"{DEV_ACCOUNT.name}:{key}".encode()).decode()
        for name, key in keys.items()
    }
    signature = world.token.rsplit(".", 1)[-1] or world.token
    return {**keys, **plain, **encoded, "the token of the ServiceAccount": world.token, "its signature": signature}


def test_settings_have_nothing_to_hide() -> None:
    """A dump of the settings, in a core file or a bug report, shows no credential because there is none."""
    words = ("secret", "password", "token", "credential", "key")
    assert not [name for name in Settings.model_fields if any(word in name for word in words)]
