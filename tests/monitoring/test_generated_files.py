"""What is generated from code is committed as generated."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from batchaccess.telemetry.metrics import FAMILIES
from scripts.monitoring import generate

ROOT = generate.ROOT


@pytest.mark.parametrize("path", generate.rendered(), ids=lambda path: path.name)
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    remedy = "run `python -m scripts.monitoring.generate`"
    assert path.read_text("utf-8") == generate.rendered()[path], remedy


def test_generation_is_deterministic() -> None:
    assert generate.rendered() == generate.rendered()


def test_the_generator_runs_as_its_text_says() -> None:
    command = [sys.executable, "-m", "scripts.monitoring.generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_outdated_file_is_named_and_left_alone_by_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "docs" / "metrics.md"
    new = tmp_path / "new.yaml"
    old.parent.mkdir()
    old.write_text("old", "utf-8")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "rendered", lambda: {old: "fresh", new: "fresh"})
    checked = CliRunner().invoke(generate.main, ["--check"])
    assert checked.exit_code == 1
    assert checked.output == "not up to date: docs/metrics.md\nnot up to date: new.yaml\n"
    assert old.read_text("utf-8") == "old"
    assert CliRunner().invoke(generate.main).exit_code == 0
    assert old.read_text("utf-8") == new.read_text("utf-8") == "fresh"


def test_the_reference_describes_every_family_and_every_closed_set() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    for family in FAMILIES:
        assert f"### `{family.name}`\n\n{family.help}\n" in text
        for label in family.labels:
            assert f"| `{label.name}` |" in text
            for value in label.values or ():
                assert f"`{value}`" in text
