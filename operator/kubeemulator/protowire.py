"""The protobuf wire format: fields by number, without any schema. Enough to read small messages of known layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Message: TypeAlias = "dict[int, list[int | bytes]]"
"""Each field number with its values in order: integers for varints, bytes for everything of counted length."""

_FIXED64: Final = 1


class WireError(ValueError):
    """The bytes are no protobuf message."""


def decode(message: bytes) -> Message:
    """The fields of a message.

    Raises:
        WireError: The bytes are no protobuf message.
    """
    fields: Message = {}
    try:
        for number, value in _fields(message):
            fields.setdefault(number, []).append(value)
    except IndexError as error:
        raise WireError("the protobuf message ends within a field") from error
    return fields


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        match tag & 7:
            case 0:  # a varint
                value, position = _varint(message, position)
                yield tag >> 3, value
            case 2:  # counted bytes
                length, position = _varint(message, position)
                if position + length > len(message):
                    raise WireError("the protobuf message ends within a field")
                yield tag >> 3, message[position : position + length]
                position += length
            case 1 | 5 as kind:  # eight or four fixed bytes
                width = 8 if kind == _FIXED64 else 4
                yield tag >> 3, message[position : position + width]
                position += width
            case kind:
                raise WireError(f"wire type {kind} is not supported")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 -- the continuation bit of the format
            return value, position
        shift += 7


def text(message: Message, number: int, *, absent: str = "") -> str:
    """The last string in a field."""
    values = message.get(number)
    return bytes(_counted(values[-1])).decode() if values else absent


def child(message: Message, number: int) -> Message:
    """The last message in a field; an empty one when the field is absent."""
    values = message.get(number)
    return decode(_counted(values[-1])) if values else {}


def children(message: Message, number: int) -> list[Message]:
    """All messages in a field."""
    return [decode(_counted(value)) for value in message.get(number, [])]


def texts(message: Message, number: int) -> list[str]:
    """All strings in a field."""
    return [_counted(value).decode() for value in message.get(number, [])]


def _counted(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise WireError("a number stands where a string or message was expected")
    return value


def raw(message: Message, number: int) -> bytes:
    """The last bytes in a field; none when the field is absent."""
    values = message.get(number)
    return _counted(values[-1]) if values else b""
