"""docs/security.md says nothing that is not so: its proofs exist, and its table of rules is that of the roles."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.support.kube import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
KUSTOMIZE = ROOT / "deploy" / "kustomize"
ROLES = ("base/clusterrole.yaml", "base/role.yaml", "components/high-availability/lease-role.yaml")
PROOF = re.compile(r"`([a-z0-9_/]+\.py)::(test_\w+)`")
PROOFS = sorted(set(PROOF.findall(PAGE)))


def table(title: str) -> list[list[str]]:
    """The rows of the table below a heading, without its head."""
    section = re.split(r"^#+ ", PAGE.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


@cache
def defined_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("file", "name"), PROOFS, ids=lambda part: part)
def test_a_proof_that_is_named_exists(file: str, name: str) -> None:
    assert name in defined_in(ROOT / "tests" / file)


def test_every_threat_has_an_answer_and_a_proof() -> None:
    rows = table("Threats and answers")
    assert len(rows) >= 15
    assert [threat for threat, answer, proofs in rows if not answer or not PROOF.search(proofs)] == []


def test_every_verb_of_every_role_is_in_the_table_and_no_other() -> None:
    documented: Counter[tuple[str, str, str]] = Counter()
    for role, rule, purpose, used in table("The operator"):
        assert purpose
        assert used
        found = re.fullmatch(r"`([a-z ]+)` (.+)", rule)
        assert found is not None, rule
        for resource in found[2].split(", "):
            documented.update((role.partition("`")[2].strip("`"), resource, verb) for verb in found[1].split())
    granted: Counter[tuple[str, str, str]] = Counter()
    for role in (yaml.safe_load((KUSTOMIZE / file).read_text()) for file in ROLES):
        for rule in role["rules"]:
            name = role["metadata"]["name"]
            granted.update((name, resource, verb) for resource in rule["resources"] for verb in rule["verbs"])
    assert documented == granted


def test_the_custom_role_of_azure_has_each_action_explained() -> None:
    actions = set(re.findall(r'"Microsoft.Batch/([^"]+)"', PAGE))
    explained = {part for row in table("What the identity needs in Azure") for part in re.findall(r"`([^`]+)`", row[0])}
    assert len(actions) == 5
    assert [action for action in actions if not any(action.endswith(each) for each in explained)] == []
