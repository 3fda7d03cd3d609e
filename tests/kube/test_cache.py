import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.model import JsonObject
from batchaccess.kube.cache import KindCache
from batchaccess.kube.listing import KubeListing


def raw(
    version: int, *, uid: str = "u1", name: str = "one", spec: int = 0, status: dict[str, Any] | None = None
) -> dict[str, Any]:
    metadata = {"name": name, "uid": uid, "resourceVersion": str(version), "generation": spec}
    return {"metadata": metadata, "spec": {"size": spec}, "status": status or {}}


def listing(version: int, *items: JsonObject) -> KubeListing:
    return KubeListing(items=items, resource_version=str(version))


def cache() -> KindCache[int]:
    return KindCache(lambda each: int(each["spec"]["size"]))


def values(kept: KindCache[int]) -> dict[str, int]:
    return {entry.stored.name: entry.value for entry in kept}


def test_a_newer_reading_replaces_an_older_one() -> None:
    kept = cache()
    kept.put(raw(5, spec=1))
    change = kept.put(raw(6, spec=2))
    assert change is not None
    assert change.is_of_value
    assert values(kept) == {"one": 2}


def test_an_older_reading_is_ignored() -> None:
    kept = cache()
    kept.put(raw(6, spec=2))
    assert kept.put(raw(5, spec=1)) is None
    assert values(kept) == {"one": 2}


def test_versions_compare_as_numbers_not_as_text() -> None:
    kept = cache()
    kept.put(raw(9, spec=1))
    kept.put(raw(10, spec=2))
    assert values(kept) == {"one": 2}


def test_a_change_of_status_alone_is_told_but_is_no_change_of_value() -> None:
    kept = cache()
    kept.put(raw(5, spec=1))
    before = kept.get((None, "one"))
    change = kept.put(raw(6, spec=1, status={"ready": True}))
    assert change is not None
    assert not change.is_of_value
    after = kept.get((None, "one"))
    assert before is not None
    assert after is not None
    assert after.value is before.value
    assert after.stored.status == {"ready": True}


def test_the_stored_status_stays_the_same_object_while_nothing_about_it_changes() -> None:
    kept = cache()
    kept.put(raw(5, status={"ready": True}))
    before = kept.get((None, "one"))
    assert kept.put(raw(6, status={"ready": True})) is None
    after = kept.get((None, "one"))
    assert before is not None
    assert after is not None
    assert after.stored is before.stored
    assert after.resource_version == 6


def test_what_was_deleted_does_not_come_back_with_a_late_event() -> None:
    kept = cache()
    kept.put(raw(5))
    assert kept.drop(raw(7)) is not None
    assert kept.put(raw(6)) is None
    assert kept.put(raw(8)) is None
    assert values(kept) == {}


def test_a_recreated_object_survives_the_late_deletion_of_its_predecessor() -> None:
    kept = cache()
    kept.put(raw(5, uid="u1", spec=1))
    kept.put(raw(8, uid="u2", spec=2))
    assert kept.drop(raw(7, uid="u1")) is None
    assert kept.put(raw(9, uid="u1", spec=1)) is None
    assert values(kept) == {"one": 2}


def test_deleting_what_is_not_known_tells_nothing() -> None:
    assert cache().drop(raw(5)) is None


def test_a_list_removes_what_it_lacks_and_brings_what_was_missed() -> None:
    kept = cache()
    kept.put(raw(5, uid="u1", name="one"))
    changes = kept.replace(listing(9, raw(7, uid="u2", name="two", spec=2)))
    assert values(kept) == {"two": 2}
    assert len(changes) == 2


def test_a_list_does_not_remove_what_is_younger_than_itself() -> None:
    kept = cache()
    kept.put(raw(10, uid="u1", name="one", spec=1))
    assert kept.replace(listing(9)) == []
    assert values(kept) == {"one": 1}


def test_a_list_of_a_store_that_lost_its_history_is_all_there_is() -> None:
    kept = cache()
    for each in (raw(90, spec=1), raw(91, uid="u2", name="two", spec=1), raw(92, uid="u3", name="three", spec=1)):
        kept.put(each)
    kept.drop(raw(93, uid="u4", name="four"))
    restored = listing(40, raw(5, spec=2), raw(6, uid="u9", name="two", spec=2), raw(7, uid="u4", name="four", spec=2))
    changes = kept.replace(restored, began_after=kept.newest)
    assert values(kept) == {"one": 2, "two": 2, "four": 2}
    assert len(changes) == 4
    assert kept.newest == 40
    assert kept.put(raw(41, spec=3)) is not None


def test_a_list_overtaken_by_a_watch_while_it_was_read_is_no_lost_history() -> None:
    kept = cache()
    began_after = kept.newest
    kept.put(raw(91, spec=2))
    kept.replace(listing(90, raw(80, spec=1)), began_after=began_after)
    assert values(kept) == {"one": 2}


def test_only_readings_older_than_the_known_one_are_outdated() -> None:
    kept = cache()
    kept.put(raw(90))
    kept.drop(raw(90, uid="u2", name="two"))
    assert kept.is_outdated(raw(89))
    assert kept.is_outdated(raw(1, uid="u9"))
    assert kept.is_outdated(raw(90, uid="u2", name="two"))
    assert not kept.is_outdated(raw(90))
    assert not kept.is_outdated(raw(1, uid="u9", name="new"))


def test_a_list_that_tells_nothing_new_changes_nothing() -> None:
    kept = cache()
    kept.put(raw(5, spec=1))
    assert kept.replace(listing(9, raw(5, spec=1))) == []


STEPS = st.lists(st.tuples(st.sampled_from(["put", "drop"]), st.integers(1, 12)), max_size=20)


@given(st.lists(st.integers(1, 12), min_size=1, unique=True), st.randoms())
def test_whatever_the_order_of_readings_the_newest_one_stands(versions: list[int], chance: random.Random) -> None:
    kept = cache()
    shuffled = list(versions)
    chance.shuffle(shuffled)
    for version in shuffled:
        kept.put(raw(version, spec=version))
    assert values(kept) == {"one": max(versions)}


@given(STEPS)
def test_after_a_deletion_nothing_of_that_uid_is_ever_kept(steps: list[tuple[str, int]]) -> None:
    kept = cache()
    deleted = False
    for step, version in steps:
        if step == "drop":
            kept.drop(raw(version))
            deleted = True
        else:
            kept.put(raw(version))
        assert not (deleted and values(kept))
