"""What a reader of the tree relies on: import contracts, an unshadowed standard library, small files."""

import ast
import operator
import subprocess
import sys
import tomllib
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


MODULES = sorted(
    path.stem
    for path in (ROOT / "operator" / "batchaccess").iterdir()
    if (path.suffix == ".py" or (path / "__init__.py").exists()) and not path.stem.startswith("__")
)


@pytest.mark.parametrize("module", MODULES)
def test_import_contracts_name_every_module(module: str) -> None:
    """A module that no contract names could import anything."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")["layers"]
    assert f"batchaccess.{module}" in {name for layer in layers for name in layer.split(" | ")}
    core = next(contract for contract in contracts if contract.get("source_modules") == ["batchaccess.core"])
    assert module == "core" or f"batchaccess.{module}" in core["forbidden_modules"]


def test_oracle_is_written_independently_of_the_core() -> None:
    sources = sorted((ROOT / "tests" / "oracle").rglob("*.py"))
    assert sources
    imported = {
        name
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
    }
    assert not {name for name in imported if name.split(".")[0] in ("batchaccess", "batchemulator", "kubeemulator")}
