"""docs/reference.md tells what the CRDs say now."""

import importlib.util
from types import ModuleType

import pytest

from tests.parity.judges import ROOT


@pytest.fixture
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_reference", ROOT / "scripts" / "write_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date(writer: ModuleType) -> None:
    assert writer.TARGET.read_text() == writer.reference(), "run python scripts/write_reference.py"
