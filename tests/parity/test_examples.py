"""The examples and the demo's manifests are what they say: accepted, and with schedules that come."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from batchaccess.api import GROUP, schedule_problems
from batchaccess.core.declared import AccessPolicy
from tests.parity.judges import ROOT, judge, parse


def _documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


EXAMPLES = [
    pytest.param(document, id=f"{path.stem}: {document['metadata']['name']}")
    for path in sorted((ROOT / "deploy" / "examples").glob("*.yaml"))
    for document in _documents(path)
    if document["apiVersion"].startswith(f"{GROUP}/")
]


@pytest.mark.parametrize("document", EXAMPLES)
def test_an_example_is_accepted(document: dict[str, Any]) -> None:
    verdicts = judge(document)

    assert (verdicts.by_definition, verdicts.by_model) == ((), ())


@pytest.mark.parametrize("document", [case for case in EXAMPLES if "policy" in str(case.id)])
def test_the_windows_of_an_example_come(document: dict[str, Any]) -> None:
    policy = parse(document)

    assert isinstance(policy, AccessPolicy)
    assert schedule_problems(policy) == ()


def test_there_is_an_example_of_each_kind_that_people_write() -> None:
    kinds = {case.values[0]["kind"] for case in EXAMPLES if isinstance(case.values[0], dict)}

    assert kinds == {"BatchAccountConnection", "BatchPoolAccessPolicy"}
