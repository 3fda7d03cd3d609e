import sys
import tracemalloc

from batchaccess.kube.packed import PackedObject

STATUS = {
    "observedGeneration": 2,
    "conditions": [{"type": f"Type{number}", "status": "True", "message": "as declared"} for number in range(6)],
}


def test_a_packed_object_reads_like_the_mapping_it_was_made_of() -> None:
    packed = PackedObject(STATUS)
    assert packed == STATUS
    assert dict(packed) == STATUS
    assert packed["observedGeneration"] == 2
    assert len(packed) == 2


def test_key_order_does_not_matter_to_equality_and_content_does() -> None:
    assert PackedObject({"a": 1, "b": 2}) == PackedObject({"b": 2, "a": 1})
    assert hash(PackedObject({"a": 1, "b": 2})) == hash(PackedObject({"b": 2, "a": 1}))
    assert PackedObject({"a": 1}) != PackedObject({"a": 2})
    assert PackedObject({"a": 1}) != 1


def test_what_a_reader_changes_is_the_readers_own() -> None:
    packed = PackedObject(STATUS)
    packed.unpack()["conditions"].clear()
    assert packed == STATUS


def test_packing_takes_a_fraction_of_the_memory() -> None:
    packed = PackedObject(STATUS)
    assert 4 * sys.getsizeof(packed._packed) < _size(PackedObject(STATUS).unpack())


def test_packed_objects_take_the_room_of_their_content_and_no_more() -> None:
    tracemalloc.start()
    try:
        kept = [PackedObject({"number": number}) for number in range(1000)]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / len(kept) < 200


def _size(value: object) -> int:
    inner = 0
    if isinstance(value, dict):
        inner = sum(_size(key) + _size(each) for key, each in value.items())
    elif isinstance(value, list):
        inner = sum(_size(each) for each in value)
    return sys.getsizeof(value) + inner
