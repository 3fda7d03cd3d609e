import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.api.statuses import render_status
from batchaccess.core.model import MetadataItem, NodeCounts
from batchaccess.core.saga.copies import drains_status, journal_status, stored_history, stored_journal
from batchaccess.core.saga.journal import Journal, JournalError, UnreadableJournal, journal_document, read_journal
from batchaccess.core.saga.metadata import (
    LONGEST_VALUE,
    NO_JOURNAL,
    journal_in,
    journal_items,
    metadata_with,
    metadata_without,
)
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.steps import DrainLatch, Ending, Step
from tests.core.saga.situations import MARK, copy, history, journal
from tests.support.build import NOW

counts = st.builds(NodeCounts, dedicated=st.integers(0, 10_000), low_priority=st.integers(0, 10_000))
formulas = st.none() | st.text(min_size=1, max_size=12_000)
scales = st.builds(
    RecordedScale,
    targets=counts,
    current=counts,
    resize_timeout=st.just("PT15M"),
    autoscale_formula=formulas,
    autoscale_interval=st.none() | st.just("PT5M"),
).map(lambda scale: scale if scale.autoscale else replace(scale, autoscale_interval=None))
journals = st.builds(
    lambda recorded, second, created: journal(
        recorded=recorded, started=NOW.replace(second=second), pool_created=created
    ),
    scales,
    st.integers(0, 59),
    st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
names = st.text(min_size=1, max_size=20).filter(lambda name: not name.startswith("batchaccess.dev/"))
others = st.lists(st.builds(MetadataItem, name=names, value=st.text(max_size=20)), max_size=5).map(tuple)


@given(journals)
def test_a_journal_reads_as_it_was_written(written: Journal) -> None:
    assert read_journal(json.loads(json.dumps(journal_document(written)))) == written


@given(journals, others)
def test_the_azure_copy_reads_as_it_was_written_and_leaves_other_items_alone(
    written: Journal, theirs: tuple[MetadataItem, ...]
) -> None:
    metadata = metadata_with(theirs, written)
    assert journal_in(metadata) == written
    assert metadata[: len(theirs)] == theirs
    assert all(len(item.value) <= LONGEST_VALUE for item in metadata[len(theirs) :])
    assert all(item.value.isascii() for item in metadata[len(theirs) :])
    assert metadata_with(metadata, written) == metadata
    assert metadata_without(metadata) == theirs


@given(journals)
def test_the_kubernetes_copy_reads_as_it_was_written(written: Journal) -> None:
    kept = copy(
        Step.RESTORING,
        written,
        etag="0x1",
        standing=NodeCounts(dedicated=3),
        emptied=True,
        restore=MARK,
        ending=Ending.SUSPENDED,
        message="m",
    )
    assert stored_journal({"journal": render_status(journal_status(kept))}) == kept  # type: ignore[arg-type]


def test_the_history_reads_as_it_was_written() -> None:
    latch = DrainLatch(network_digest="d", reason=Ending.REJECTED.latch, message="no")  # type: ignore[arg-type]
    for written in (history(), history(started=(NOW,), requested="r"), history(latch=latch)):
        assert stored_history({"drains": render_status(drains_status(written))}) == written  # type: ignore[arg-type]


@given(journals, st.data())
def test_a_damaged_azure_copy_is_never_taken_for_a_whole_one(written: Journal, data: st.DataObject) -> None:
    items = list(journal_items(written))
    index = data.draw(st.integers(0, len(items) - 1))
    match data.draw(st.sampled_from(["lost", "changed", "cut", "doubled"])):
        case "lost":
            del items[index]
        case "changed":
            items[index] = replace(items[index], value="?" + items[index].value[1:])
        case "cut":
            items[index] = replace(items[index], value=items[index].value[:-1])
        case _:
            items.append(items[index])
    found = journal_in(items)
    assert isinstance(found, UnreadableJournal) or (found is None and not items)


@given(st.lists(st.builds(MetadataItem, name=st.sampled_from(["batchaccess.dev/journal-0", "a"]), value=st.text())))
def test_any_metadata_is_read_or_refused(items: list[MetadataItem]) -> None:
    assert not isinstance(journal_in(items), Journal)


def test_an_ordinary_journal_stays_within_the_strictest_limit_and_readable() -> None:
    items = journal_items(journal())
    assert sum(len(item.name) + len(item.value) for item in items) <= 1024
    assert '"targets":[2,0]' in "".join(item.value for item in items)


def test_a_long_formula_is_packed() -> None:
    scale = RecordedScale(autoscale_formula="$a = 1;\n" * 1000, autoscale_interval="PT5M")
    items = journal_items(journal(recorded=scale))
    assert sum(len(item.value) for item in items) < 1000


def test_an_empty_list_that_is_ignored_is_replaced_by_a_word() -> None:
    metadata = metadata_with((), journal())
    assert metadata_without(metadata) == ()
    assert metadata_without(metadata, empty_is_ignored=True) == (NO_JOURNAL,)
    assert journal_in([NO_JOURNAL]) is None
    other = MetadataItem(name="a", value="b")
    assert metadata_without((other, *metadata), empty_is_ignored=True) == (other,)


BROKEN = {
    "it is a list": [],
    "its version is newer": {"v": 2},
    "the scale is missing": {"scale": None},
    "a count is negative": {"scale": {"targets": [-1, 0], "current": [0, 0], "timeout": "PT5M"}},
    "a count is a truth value": {"scale": {"targets": [True, 0], "current": [0, 0], "timeout": "PT5M"}},
    "the time is no time": {"started": "soon"},
    "the time is none in UTC": {"started": "0001-01-01T00:00:00+14:00"},
    "the pool's time is none in UTC": {"created": "0001-01-01T00:00:00+14:00"},
    "the id is no text for people": {"id": "\ud800"},
    "the id is longer than any": {"id": "0" * 600},
    "the policy has no namespace": {"policy": "ssh"},
    "the generation is text": {"generation": "1"},
    "the formula is empty": {"scale": {"targets": [0, 0], "current": [0, 0], "timeout": "PT5M", "formula": ""}},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_document_is_no_journal_when(broken: object) -> None:
    document = {**journal_document(journal()), **broken} if isinstance(broken, dict) else broken
    with pytest.raises(JournalError):
        read_journal(document)


STORED = {
    "the step is unknown": {"step": "Flying"},
    "the ending is unknown": {"ending": "Badly"},
    "the time of the step is missing": {"since": None},
    "the formula is no list": {"scale": {"autoscaleFormula": "x"}},
    "the standing targets are text": {"standingDedicatedNodes": "2"},
    "the saga has no id": {"sagaId": ""},
    "the time of the step is none in UTC": {"since": "0001-01-01T00:00:00+14:00"},
}


@pytest.mark.parametrize("broken", STORED.values(), ids=STORED.keys())
def test_a_stored_copy_is_unreadable_when(broken: dict[str, object]) -> None:
    stored = {**render_status(journal_status(copy(Step.DRAINING))), **broken}  # type: ignore[arg-type]
    assert isinstance(stored_journal({"journal": stored}), UnreadableJournal)


def test_no_copy_is_none_and_anything_else_is_unreadable() -> None:
    assert stored_journal({}) is None
    assert stored_journal(None) is None
    assert isinstance(stored_journal({"journal": "x"}), UnreadableJournal)


@pytest.mark.parametrize("stored", [None, {}, {"drains": 1}, {"drains": {"policyUid": "u"}}])
def test_a_history_that_makes_no_sense_is_none(stored: object) -> None:
    assert stored_history(stored) is None
