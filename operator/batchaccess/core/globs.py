"""Globs over pool ids: `*`, `?` and `[...]`, without regard to case, since Azure ids keep their case but ignore it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final

_SPECIAL: Final = re.compile(r"[*?\[]")
_CACHED_GLOBS: Final = 8192
"""More distinct globs than 2,000 policies tend to use; a bound on memory, not a limit."""


@lru_cache(maxsize=_CACHED_GLOBS)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))


@dataclass(frozen=True, slots=True)
class IdGlobs:
    """A set of globs that is asked whether any of them matches an id."""

    _everything: bool
    _literals: frozenset[str]
    _patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, globs: Iterable[str]) -> "IdGlobs":
        """Prepare `globs`; none of them match nothing."""
        folded = {glob.lower() for glob in globs}
        patterned = {glob for glob in folded if _SPECIAL.search(glob)}
        return cls(
            "*" in folded,
            frozenset(folded - patterned),
            tuple(_compiled(glob) for glob in sorted(patterned - {"*"})),
        )

    def match(self, pool_id: str) -> bool:
        """Whether one of the globs matches the whole id."""
        if self._everything:
            return True
        folded = pool_id.lower()
        return folded in self._literals or any(pattern.match(folded) for pattern in self._patterns)


@dataclass(frozen=True, slots=True)
class GlobIndex:
    """Finds which of many sets of globs may match an id, by the literal text before their first special character.

    Two thousand policies times ten thousand pools would be twenty million matches; looked up by prefix it is a few
    dictionary look-ups per pool, and only real candidates are matched.
    """

    _whole: Mapping[str, tuple[int, ...]]
    """Positions by an id that a glob spells out."""
    _prefixes: Mapping[str, tuple[int, ...]]
    """Positions by the literal start of a glob."""
    _lengths: tuple[int, ...]
    """The lengths of these starts."""

    @classmethod
    def of(cls, sets: Iterable[Iterable[str]]) -> "GlobIndex":
        """Index sets of globs by their position."""
        whole: dict[str, list[int]] = {}
        prefixes: dict[str, list[int]] = {}
        for position, globs in enumerate(sets):
            for glob in {each.lower() for each in globs}:
                special = _SPECIAL.search(glob)
                places = (
                    whole.setdefault(glob, []) if special is None else prefixes.setdefault(glob[: special.start()], [])
                )
                places.append(position)
        return cls(
            {text: tuple(places) for text, places in whole.items()},
            {text: tuple(places) for text, places in prefixes.items()},
            tuple(sorted({len(prefix) for prefix in prefixes})),
        )

    def possible(self, pool_id: str) -> list[int]:
        """Positions, ascending, of the sets that may match; each real match is among them."""
        folded = pool_id.lower()
        found = set(self._whole.get(folded, ()))
        for length in self._lengths:
            if length > len(folded):
                break
            found.update(self._prefixes.get(folded[:length], ()))
        return sorted(found)
