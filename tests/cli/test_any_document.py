"""Whatever a file holds, an audit of it answers or says what is wrong, and never breaks."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from batchaccess.cli.audit.evaluation import evaluate
from batchaccess.cli.audit.report import audit_report
from batchaccess.cli.inputs import PoolSources, read_sources
from batchaccess.core.addresses import NO_ADDRESSES

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
KEYS = st.sampled_from(
    [
        "id",
        "url",
        "name",
        "properties",
        "value",
        "nodes",
        "creationTime",
        "userAccounts",
        "elevationLevel",
        "virtualMachineConfiguration",
        "securityProfile",
        "uefiSettings",
        "networkConfiguration",
        "endpointConfiguration",
        "inboundNATPools",
        "inboundEndpoints",
        "backendPort",
        "scaleSettings",
        "state",
    ]
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=15
)
POOLS = st.lists(
    st.builds(lambda other, given: {**other, "id": given}, st.dictionaries(KEYS, DOCUMENTS), st.text(max_size=5)),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(document=DOCUMENTS | POOLS)
def test_any_document_is_audited_or_told_to_be_wrong(document: Any) -> None:  # noqa: ANN401 any JSON
    with TemporaryDirectory() as directory:
        path = Path(directory) / "pools.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        reading = read_sources(PoolSources(pool_files=(str(path),)), environment={})
    report = audit_report(evaluate(reading, trusted=NO_ADDRESSES))
    assert report["accounts"] or report["errors"]
    if isinstance(document, list):
        assert report["summary"]["pools"] + report["summary"]["errors"] >= len(document)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=40))
def test_any_bytes_are_read_or_told_to_be_wrong(content: bytes) -> None:
    with TemporaryDirectory() as directory:
        for name in ("pools.json", "pools.yaml"):
            path = Path(directory) / name
            path.write_bytes(content)
            reading = read_sources(PoolSources(pool_files=(str(path),), connections=(str(path),)), environment={})
            assert reading.accounts or reading.failures
