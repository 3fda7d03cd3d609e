"""The parts that pages are put together from."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from batchaccess.web.markup import Content, Element, el
from batchaccess.web.storedjson import StoredCondition
from batchaccess.web.words import Said, Tone, said_of_condition

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_TWO: Final = 2
"""From two of a unit on, a duration is told in it: 119 s, then 2 min."""


def icon(name: str) -> Element:
    """A sign of the page's own set; words stand beside it, so it is hidden from screen readers."""
    return el("svg", el("use", href=f"#icon-{name}"), class_="icon", aria_hidden="true", focusable="false")


def badge(said: Said, sign: str = "") -> Element:
    """A word of a status, with its colour and its sign, which is that of the tone unless told otherwise."""
    return el("span", icon(sign or said.tone), said.words, class_=f"badge {said.tone}")


def toned(tone: Tone, *content: Content) -> Element:
    """A text with a sign before it, less loud than a badge."""
    return el("span", icon(tone), el("span", *content), class_=f"toned {tone}")


def lasting(since: datetime | None, now: datetime) -> str:
    """How long something has lasted: `45 s`, `4 min`, `3 h`, `12 days`."""
    if since is None:
        return ""
    seconds = max(0, int((now - since).total_seconds()))
    for unit, name in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= _TWO * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def moment(time: datetime | None, now: datetime) -> Content:
    """A point in time, and how long ago it was."""
    if time is None:
        return "at an unknown time"
    return el("span", exact(time), el("span", f" {lasting(time, now)} ago", class_="dim"))


def exact(time: datetime) -> Element:
    """A point in time to the second."""
    return _time(time, f"{time:%Y-%m-%d %H:%M:%S} UTC")


def moment_to_come(time: datetime, now: datetime) -> Content:
    """A point in time to come, and how long it takes until then."""
    return el("span", _time(time, f"{time:%Y-%m-%d %H:%M} UTC"), el("span", f" in {lasting(now, time)}", class_="dim"))


def duration_since(since: datetime | None, now: datetime) -> Content:
    """How long something has lasted, with the time it began for who points at it."""
    return (
        None
        if since is None
        else _time(since, f"for {lasting(since, now)}", title=f"since {since:%Y-%m-%d %H:%M:%S} UTC")
    )


def _time(time: datetime, text: str, *, title: str | None = None) -> Element:
    return el("time", text, datetime=f"{time:%Y-%m-%dT%H:%M:%SZ}", title=title)


def section(heading: str, *content: Content, id: str, note: Content = None) -> Element:
    """A part of a page under a heading of its own."""
    return el(
        "section",
        el("h2", heading, id=id),
        el("p", note, class_="note") if note else None,
        *content,
        aria_labelledby=id,
    )


def facts(rows: Iterable[tuple[str, Content]]) -> Element:
    """Names and values; rows without a value are left out."""
    shown = [(name, value) for name, value in rows if value not in (None, "", [], ())]
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in shown), class_="facts")


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Content]], *, class_: str = "") -> Element:
    """A table whose rows become cards on a narrow screen, where each cell shows the name of its column.

    The roles are said because the display property of a card would take them from the elements.
    """
    head = el("tr", *(el("th", column, scope="col", role="columnheader") for column in columns), role="row")
    body = [_row(columns, cells) for cells in rows]
    return el(
        "table",
        el("caption", caption, class_="unseen"),
        el("thead", head, role="rowgroup"),
        el("tbody", *body, role="rowgroup"),
        role="table",
        class_=f"cards {class_}".strip(),
    )


def _row(columns: Sequence[str], cells: Sequence[Content]) -> Element:
    first, *others = zip(columns, cells, strict=True)
    return el(
        "tr",
        el("th", first[1], scope="row", role="rowheader", data_label=first[0]),
        *(el("td", el("div", cell), role="cell", data_label=column) for column, cell in others),
        role="row",
    )


def conditions_table(
    conditions: Sequence[StoredCondition], now: datetime, *, told: Callable[[Said], Said] = lambda said: said
) -> Element:
    """Conditions with what they mean; `told` has the last word on that."""
    if not conditions:
        return el("p", "Nothing was found out yet.", class_="empty")
    rows = [
        (
            each.type,
            badge(told(said_of_condition(each.type, each.status, each.reason))),
            el("code", f"{each.status} ({each.reason})"),
            each.message,
            duration_since(each.since, now),
        )
        for each in conditions
    ]
    return table("Conditions", ("Condition", "Means", "In the API", "Message", "Since"), rows, class_="conditions")


def pager(page: int, pages: int, address_of: Sequence[str]) -> Element | None:
    """Links to the neighbouring pages; `address_of` holds the address of the one before and the one behind."""
    if pages <= 1:
        return None
    before, behind = address_of
    return el(
        "nav",
        el("a", "Previous page", href=before, rel="prev") if page > 1 else el("span", "Previous page", class_="dim"),
        el("span", f"Page {page} of {pages}"),
        el("a", "Next page", href=behind, rel="next") if page < pages else el("span", "Next page", class_="dim"),
        class_="pager",
        aria_label="Pages of the list",
    )


def plural(count: int, one: str, many: str = "") -> str:
    """`1 pool`, `2 pools`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def ports(start: int | None, end: int | None) -> str:
    """A range of ports."""
    return "" if start is None or end is None else str(start) if start == end else f"{start}-{end}"
