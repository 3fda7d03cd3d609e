"""Judges HTML without a browser: nesting, identifiers, references, and what a browser would silently move elsewhere."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
BLOCKS = frozenset({"article", "div", "dl", "form", "h1", "h2", "h3", "nav", "ol", "p", "section", "table", "ul"})
ONLY_INSIDE = {
    "li": {"ul", "ol"},
    "dt": {"div", "dl"},
    "dd": {"div", "dl"},
    "td": {"tr"},
    "th": {"tr"},
    "tr": {"thead", "tbody"},
    "caption": {"table"},
    "option": {"select"},
    "summary": {"details"},
}


@dataclass
class Judged:
    """What a page holds. `problems` is empty for a good one."""

    problems: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


class Judge(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.judged = Judged()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        judged, names = self.judged, [name for name, _ in attrs]
        judged.tags.append(tag)
        if len(set(names)) != len(names):
            judged.problems.append(f"<{tag}> repeats an attribute")
        if tag in BLOCKS and "p" in self.open:
            judged.problems.append(f"<{tag}> inside <p> ends the paragraph in a browser")
        if tag in ("a", "button", "input", "select") and ("a" in self.open or "button" in self.open):
            judged.problems.append(f"<{tag}> inside another thing to click")
        if tag in ONLY_INSIDE and (not self.open or self.open[-1] not in ONLY_INSIDE[tag]):
            judged.problems.append(f"<{tag}> inside <{self.open[-1] if self.open else 'nothing'}>")
        for name, value in attrs:
            self._note(tag, name, value or "")
        if tag[0] == "h" and tag[1:].isdigit():
            judged.headings.append(int(tag[1:]))
        if tag not in VOID:
            self.open.append(tag)

    def _note(self, tag: str, name: str, value: str) -> None:
        judged = self.judged
        if name.startswith("on") or name == "style":
            judged.problems.append(f"<{tag}> has {name}, which the policy forbids")
        if name == "id":
            judged.ids.append(value)
        elif name in ("for", "aria-labelledby"):
            judged.references.append(value)
        elif tag == "a" and name == "href":
            judged.links.append(value)
        elif tag == "use" and name == "href":
            judged.references.append(value.removeprefix("#"))
        elif tag in ("link", "script", "img") and name in ("href", "src"):
            judged.assets.append(value)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.judged.problems.append(f"</{tag}> closes {self.open[-1:]}")
        elif self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.judged.texts.append(data)
        if "script" in self.open[-1:] and data.strip():
            self.judged.problems.append("an inline script")


def judged(html: str) -> Judged:
    """What a page holds and what is wrong with it."""
    judge = Judge()
    judge.feed(html)
    judge.close()
    found = judge.judged
    if not html.startswith("<!doctype html>\n"):
        found.problems.append("no doctype")
    if judge.open:
        found.problems.append(f"never closed: {judge.open}")
    found.problems += [f"id {each} twice" for each in sorted(set(found.ids)) if found.ids.count(each) > 1]
    found.problems += [f"{each} is nowhere" for each in found.references if each not in found.ids]
    if found.headings.count(1) != 1:
        found.problems.append("not one main heading")
    steps = zip(found.headings, found.headings[1:], strict=False)
    found.problems += [f"heading {after} after {before}" for before, after in steps if after > before + 1]
    return found
