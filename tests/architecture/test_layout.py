"""What a reader of the tree relies on: import contracts, an unshadowed standard library, small files."""

import operator
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "operator").rglob("*.py"))
CEILING = 400


def test_import_contracts_hold() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([lint_imports], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_source_root_never_becomes_a_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_operator_is_still_the_standard_library() -> None:
    assert operator.itemgetter(0)(["kept"]) == "kept"
    script = "import operator; print(operator.__file__)"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert str(ROOT) not in answer.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "operator")))
def test_file_holds_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= CEILING
