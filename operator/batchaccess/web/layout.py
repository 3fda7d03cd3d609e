"""What every page has around it: head, navigation, the operator's own problems, the foot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchaccess import __version__
from batchaccess.web.addresses import Addresses
from batchaccess.web.markup import Content, Element, document, el
from batchaccess.web.readings import Standby

_ICONS: Final = {
    "danger": "M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2zM5.5 5.5l5 5m0-5l-5 5",
    "warning": "M8 1.6 15 14.2H1zM8 6v4m0 1.6v.9",
    "busy": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM8 4.2V8l2.6 1.9",
    "good": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM4.8 8.2l2.2 2.2 4.2-4.6",
    "quiet": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM5 8h6",
    "allow": "M1.5 8h9m-3.6-3.6L10.5 8l-3.6 3.6M14 2v12",
    "deny": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM3.2 3.2l9.6 9.6",
    "shield": "M8 1 14 3v4.6c0 3.4-2.4 6-6 7.4-3.6-1.4-6-4-6-7.4V3zM5.2 8l2 2 3.6-4",
}
"""Outlines on a field of 16 by 16; each has a shape of its own, so that nobody needs the colours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What stands around a page. `place` is the entry of the navigation it belongs to."""

    addresses: Addresses
    now: datetime
    problems: Sequence[str] = ()
    place: str = ""
    standby: Standby | None = None


def page(title: str, *content: Content, shell: Shell) -> str:
    """A whole page."""
    to = shell.addresses
    return document(
        el(
            "html",
            el(
                "head",
                el("meta", charset="utf-8"),
                el("title", f"{title} - batchaccess"),
                el("meta", name="viewport", content="width=device-width, initial-scale=1"),
                el("meta", name="color-scheme", content="light dark"),
                el("link", rel="icon", href=to.asset("icon.svg"), type="image/svg+xml"),
                el("link", rel="stylesheet", href=to.asset("status.css")),
                el("script", src=to.asset("status.js"), defer=True),
            ),
            el(
                "body",
                _sprite(),
                el("a", "Skip to content", href="#content", class_="skip"),
                _header(shell),
                el(
                    "main",
                    _problems(shell.problems),
                    _standby(shell.standby),
                    *content,
                    id="content",
                    tabindex="-1",
                ),
                _footer(),
            ),
            lang="en",
        )
    )


def _sprite() -> Element:
    symbols = [
        el("symbol", el("path", d=outline), id=f"icon-{name}", viewBox="0 0 16 16") for name, outline in _ICONS.items()
    ]
    return el("svg", *symbols, class_="sprite", aria_hidden="true", width="0", height="0")


def _header(shell: Shell) -> Element:
    to = shell.addresses
    brand = el(
        "a",
        el("svg", el("use", href="#icon-shield"), class_="icon", aria_hidden="true", focusable="false"),
        el("span", "batchaccess"),
        href=to.fleet(),
        class_="brand",
    )
    places = (("Pools", to.fleet()), ("Policies", to.policies()), ("Events", to.events()))
    links = [
        el("li", el("a", name, href=address, aria_current="page" if name == shell.place else None))
        for name, address in places
    ]
    return el(
        "header",
        brand,
        el("nav", el("ul", *links), aria_label="Pages"),
        el(
            "div",
            el("span", "Refreshed at ", _clock(shell.now), id="as-of"),
            el("button", "Pause updates", type="button", id="pause", hidden=True, aria_pressed="false"),
            class_="freshness",
        ),
        el("p", id="unreachable", role="status"),
        class_="top",
    )


def _clock(now: datetime) -> Element:
    return el("time", f"{now:%H:%M:%S} UTC", datetime=f"{now:%Y-%m-%dT%H:%M:%SZ}")


def _problems(problems: Sequence[str]) -> Content:
    if not problems:
        return None
    return el(
        "div",
        el("p", el("strong", "The operator is not well, so what is shown may be old.")),
        el("ul", *(el("li", problem) for problem in problems)),
        class_="banner danger",
    )


def _standby(standby: Standby | None) -> Content:
    if standby is None:
        return None
    who = f"{standby.leader} leads" if standby.leader else "no other is known to lead yet"
    words = " What Kubernetes holds is the same here; only the leader tells events and problems of the operator."
    return el(
        "div",
        el("p", el("strong", f"This replica stands by; {who}."), words),
        el("p", "Its page: ", el("code", standby.reach)) if standby.leader else None,
        class_="banner quiet",
    )


def _footer() -> Element:
    return el(
        "footer",
        el(
            "p",
            "Read-only. Shown is what Kubernetes holds, as kubectl would. "
            "Network security groups of subnets are not read.",
        ),
        el("p", f"batchaccess {__version__}"),
    )
