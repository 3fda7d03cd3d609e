"""Core against an oracle that shares no line with it: 100,000 random rule lists, see `oracleagreement`."""

import ast
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.properties.oracleagreement import disagreements

CASES, CHUNKS = 100_000, 40
ORACLE = Path(__file__).parents[1] / "oracle"


@pytest.mark.parametrize("seed", range(CHUNKS))
def test_core_agrees_with_the_oracle(seed: int) -> None:
    random = Random(seed)  # noqa: S311 a reproducible sequence is the point
    assert not list(islice(disagreements(random, CASES // CHUNKS), 3))


@pytest.mark.parametrize("path", sorted(ORACLE.glob("*.py")), ids=lambda path: path.name)
def test_the_oracle_shares_nothing_with_what_it_judges(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in imported if name.split(".")[0] in ("batchaccess", "batchemulator", "kubeemulator")]
