"""JSON objects kept as bytes: ten thousand statuses as Python dictionaries would take hundreds of MiB."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson


class PackedObject(Mapping[str, Any]):
    """A read-only JSON object, decoded anew at each access and equal to any mapping of the same content."""

    __slots__ = ("_packed",)

    def __init__(self, content: Mapping[str, Any]) -> None:
        # A copy: what orjson returns keeps the buffer it was written in, 4 KiB and more for two characters.
        self._packed = bytes(memoryview(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)))

    def unpack(self) -> dict[str, Any]:
        """The whole content as a dictionary of the caller's own."""
        content: dict[str, Any] = orjson.loads(self._packed)
        return content

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 what JSON holds has no narrower type
        return self.unpack()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.unpack())

    def __len__(self) -> int:
        return len(self.unpack())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PackedObject):
            return self._packed == other._packed
        if isinstance(other, Mapping):
            return self.unpack() == dict(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._packed)

    def __repr__(self) -> str:
        return f"PackedObject({self.unpack()!r})"
