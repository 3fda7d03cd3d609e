"""HTML as values. Every text is escaped when it is rendered; there is no way to put markup in as text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

Attribute: TypeAlias = str | int | bool | None
"""True stands for an attribute without a value; None and False leave it out."""

Content: TypeAlias = "Element | str | int | Sequence[Content] | None"
"""None renders as nothing, a sequence as its members."""

_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})
_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_NOT_IN_HTML: Final = [*range(0x20), *range(0x7F, 0xA0)]
"""Control characters are parse errors in HTML, or show nothing."""
_REORDERING: Final = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Bidirectional controls make a text read differently from what it is."""
_SURROGATES: Final = range(0xD800, 0xE000)
_REPLACED: Final = dict.fromkeys([*_NOT_IN_HTML, *_REORDERING, *_SURROGATES], "\ufffd")
_SHOWN: Final = str.maketrans({**_REPLACED, ord("\n"): "\n", ord("\t"): "\t", **_ESCAPED})


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a page."""

    tag: str
    attributes: tuple[tuple[str, Attribute], ...]
    content: tuple[Content, ...]

    def __str__(self) -> str:
        """As HTML."""
        return "".join(_rendered(self))


def el(tag: str, *content: Content, **attributes: Attribute) -> Element:
    """An element. Underscores of an attribute's name become hyphens, a trailing one is dropped: `class_`, `aria_label`.

    Raises:
        ValueError: the attribute would run a script, or a void element was given content.
    """
    if tag in _VOID and content:
        raise ValueError(f"<{tag}> has no content")
    named = tuple((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    for name, value in named:
        _check_attribute(name, value)
    return Element(tag, named, content)


def document(page: Element) -> str:
    """A whole document."""
    return f"<!doctype html>\n{page}\n"


def escaped(text: str) -> str:
    """A text as it stands in HTML, in content as well as in a quoted attribute."""
    return text.translate(_SHOWN)


def joined(parts: Iterable[Content], separator: str) -> list[Content]:
    """Parts with a separator between them."""
    between: list[Content] = []
    for part in parts:
        between += [separator, part] if between else [part]
    return between


def _check_attribute(name: str, value: Attribute) -> None:
    if name.startswith("on") or name == "style":
        raise ValueError(f"{name}: the content security policy lets no inline script or style through")
    if name in ("href", "src", "action") and isinstance(value, str) and urlsplit(value).scheme:
        raise ValueError(f"{name}: a page refers to nothing but itself, not to {value!r}")


def _rendered(content: Content) -> Iterator[str]:
    match content:
        case None:
            return
        case Element():
            yield f"<{content.tag}{''.join(_attributes(content))}>"
            for child in content.content:
                yield from _rendered(child)
            if content.tag not in _VOID:
                yield f"</{content.tag}>"
        case str():
            yield escaped(content)
        case int():
            yield str(content)
        case _:
            for child in content:
                yield from _rendered(child)


def _attributes(element: Element) -> Iterator[str]:
    for name, value in element.attributes:
        if value is True:
            yield f" {name}"
        elif value is not None and value is not False:
            yield f' {name}="{escaped(str(value))}"'
