"""CRDs and models accept and refuse the same objects, and name the same field when they refuse."""

from collections import Counter

import pytest

from batchaccess import api
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from tests.parity.corpus import Case, cases, overlay, without_nulls
from tests.parity.judges import Problems, judge, parse

CORPUS = cases()
ACCEPTED = [case for case in CORPUS if case.refused is None]
REFUSED = [case for case in CORPUS if case.refused is not None]


def _texts_about(field: str, problems: Problems) -> str:
    return "\n".join(text for where, text in problems if (where or "<nil>") == field)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_both_accept(case: Case) -> None:
    verdicts = judge(case.obj)

    assert verdicts.by_definition == ()
    assert verdicts.by_model == ()


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_both_refuse_and_name_the_field(case: Case) -> None:
    assert case.refused is not None
    verdicts = judge(case.obj)

    for problems in (verdicts.by_definition, verdicts.by_model):
        assert case.refused in {where or "<nil>" for where, _ in problems}
        assert case.says in _texts_about(case.refused, problems)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_absent_is_judged_as_null(case: Case) -> None:
    verdicts = judge(without_nulls(case.obj))

    assert bool(verdicts.by_definition) == bool(verdicts.by_model) == (case.refused is not None)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_what_the_server_stores_means_what_was_applied(case: Case) -> None:
    assert parse(judge(case.obj).stored) == parse(case.obj)


@pytest.mark.parametrize(
    "case", [case for case in ACCEPTED if case.obj["kind"] == "BatchPoolAccessPolicy"], ids=lambda case: case.name
)
def test_a_policy_written_out_again_is_accepted_and_the_same(case: Case) -> None:
    policy = parse(case.obj)
    assert isinstance(policy, AccessPolicy)

    manifest = api.policy_manifest(policy)

    assert judge(manifest).by_definition == ()
    assert parse(manifest) == policy


def test_the_corpus_is_large_and_no_name_is_there_twice() -> None:
    assert len(CORPUS) >= 150
    assert len(REFUSED) >= 100
    assert [name for name, count in Counter(case.name for case in CORPUS).items() if count > 1] == []


def test_everything_wrong_with_an_object_is_said_at_once() -> None:
    base = CORPUS[0].obj
    wrong = {"spec": {"endpoint": "ftp://x", "syncPeriodSeconds": 1, "auth": {"type": "SharedKey"}}}

    fields = {where for where, _ in judge(overlay(base, wrong)).by_model}

    assert fields == {"spec.endpoint", "spec.syncPeriodSeconds", "spec.auth"}


def test_a_stored_connection_is_read_with_what_the_server_added() -> None:
    metadata = {
        "uid": "u-1",
        "generation": 3,
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "deletionTimestamp": "2026-01-03T00:00:00Z",
        "annotations": {api.REQUESTED_AT: "now"},
        "managedFields": [{"manager": "kubectl"}],
    }
    connection = parse(overlay(CORPUS[0].obj, {"metadata": metadata}))

    assert isinstance(connection, AccountConnection)
    assert (connection.uid, connection.generation, connection.requested_at) == ("u-1", 3, "now")
    assert connection.created.isoformat() == "2026-01-02T03:04:05+00:00"
    assert connection.deleting
