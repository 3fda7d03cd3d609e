from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from batchaccess import app
from batchaccess.cli import COMMANDS, main
from batchaccess.settings import LogLevel, Settings
from batchaccess.telemetry.logs import LogFormat


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    found: list[Settings] = []

    def run(settings: Settings) -> int:
        found.append(settings)
        return 0

    monkeypatch.setattr(app, "run", run)
    return found


def test_without_flags_the_operator_runs_as_in_a_cluster(started: list[Settings]) -> None:
    assert CliRunner().invoke(main, ["run"]).exit_code == 0
    assert started == [Settings()]
    assert started[0].kubeconfig is None
    assert started[0].log_format is LogFormat.JSON


def test_flags_reach_the_settings(started: list[Settings], tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    config.touch()
    flags = ["--kubeconfig", str(config), "--allow-endpoint-suffix", "a.test", "--allow-endpoint-suffix", "b.test"]
    flags += ["--telemetry-port", "0", "--log-format", "text", "--log-level", "debug", "--namespace", "ops"]
    assert CliRunner().invoke(main, ["run", *flags]).exit_code == 0
    assert started == [
        Settings(
            kubeconfig=config,
            allow_endpoint_suffixes=("a.test", "b.test"),
            telemetry_port=0,
            log_format=LogFormat.TEXT,
            log_level=LogLevel.DEBUG,
            namespace="ops",
        )
    ]


def test_the_environment_reaches_the_settings(started: list[Settings]) -> None:
    environment = {
        "BATCHACCESS_NAMESPACE": "ops",
        "BATCHACCESS_TELEMETRY_HOST": "0.0.0.0",  # noqa: S104 as the Deployment has it
        "BATCHACCESS_ALLOW_ENDPOINT_SUFFIX": "a.test b.test",
        "BATCHACCESS_LOG_FORMAT": "text",
    }
    assert CliRunner().invoke(main, ["run"], env=environment).exit_code == 0
    (settings,) = started
    assert (settings.namespace, settings.telemetry_host) == ("ops", "0.0.0.0")  # noqa: S104 as the Deployment has it
    assert settings.allow_endpoint_suffixes == ("a.test", "b.test")
    assert settings.log_format is LogFormat.TEXT


@pytest.mark.parametrize(
    "flags",
    [["--telemetry-port", "70000"], ["--resync-seconds", "0"], ["--kubeconfig", "/nowhere"], ["--log-level", "x"]],
)
def test_bad_flags_are_refused_before_anything_starts(started: list[Settings], flags: list[str]) -> None:
    outcome = CliRunner().invoke(main, ["run", *flags])
    assert outcome.exit_code == 2
    assert flags[0] in outcome.output
    assert started == []


def test_the_exit_status_of_the_operator_is_that_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "run", lambda _: 1)
    assert CliRunner().invoke(main, ["run"]).exit_code == 1


def test_crds_prints_what_kubectl_applies() -> None:
    printed = CliRunner().invoke(main, ["crds"])
    kinds = {manifest["spec"]["names"]["kind"] for manifest in yaml.safe_load_all(printed.output)}
    assert kinds == {"BatchAccountConnection", "BatchPoolAccessPolicy", "BatchPoolAccess"}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["fly"]).exit_code == 2
