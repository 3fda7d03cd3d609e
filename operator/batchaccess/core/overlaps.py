"""Whether two policies may claim the same pool, found from their selectors alone, with a pool id as the witness."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from batchaccess.core.declared import AccessPolicy, NameSelector

_LONGEST_ID: Final = 64
"""Characters of a pool id (REST document "Pool - Add")."""

_MOST_STATES: Final = 5000
"""States looked at before giving up; globs that people write need a few dozen."""

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"

_Position: TypeAlias = tuple[str, int]
"""A glob and how far into it a text has come."""
_State: TypeAlias = tuple[frozenset[_Position], ...]


def common_pool_id(required: Sequence[Iterable[str]], excluded: Iterable[str]) -> str | None:
    """The shortest pool id that a glob of every required set matches and no excluded glob does.

    Letter case does not count. None if there is no such id; also if the globs are so entangled that the search gives
    up.

    Args:
        required: sets of globs with `*` and `?`.
        excluded: globs whose ids are out.
    """
    sets = [*({glob.lower() for glob in globs} for globs in required), {glob.lower() for glob in excluded}]
    alphabet = _alphabet(sets)
    # The start is not among those seen: it stands for the empty text, which is no id, and may come again.
    start = tuple(_closed((glob, 0) for glob in globs) for globs in sets)
    seen: set[_State] = set()
    waiting: deque[tuple[_State, str]] = deque([(start, "")])
    while waiting and len(seen) <= _MOST_STATES:
        state, text = waiting.popleft()
        *wanted, out = state
        if text and all(map(_accepts, wanted)) and not _accepts(out):
            return text
        if len(text) == _LONGEST_ID or not all(wanted):
            continue
        for letter in alphabet:
            following = tuple(_after(positions, letter) for positions in state)
            if following not in seen:
                seen.add(following)
                waiting.append((following, text + letter))
    return None


def _alphabet(sets: Iterable[Iterable[str]]) -> str:
    """The letters that matter: those of the globs, and one that stands for all others."""
    used = {letter for globs in sets for glob in globs for letter in glob} - {"*", "?"}
    other = next((letter for letter in _LETTERS if letter not in used), "")
    return other + "".join(sorted(used))


def _closed(positions: Iterable[_Position]) -> frozenset[_Position]:
    """The positions with those that a `*` leads to without taking a letter."""
    found: set[_Position] = set()
    for glob, start in positions:
        position = start
        found.add((glob, position))
        while position < len(glob) and glob[position] == "*":
            position += 1
            found.add((glob, position))
    return frozenset(found)


def _after(positions: Iterable[_Position], letter: str) -> frozenset[_Position]:
    return _closed(_steps(positions, letter))


def _steps(positions: Iterable[_Position], letter: str) -> Iterator[_Position]:
    for glob, position in positions:
        if position == len(glob):
            continue
        if glob[position] == "*":
            yield glob, position
        elif glob[position] in ("?", letter):
            yield glob, position + 1


def _accepts(positions: Iterable[_Position]) -> bool:
    return any(position == len(glob) for glob, position in positions)


def common_pool(one: AccessPolicy, other: AccessPolicy, granted: Sequence[Iterable[str]] = ()) -> str | None:
    """An id of a pool that both policies select, wherever it is; None if there can be none.

    Policies that ask for two values of one metadata name are taken to be apart, though the service lets names repeat.

    Args:
        one: a policy.
        other: another one.
        granted: sets of globs that grants confine them to.
    """
    theirs = other.pools.match_metadata
    if any(theirs.get(name, value) != value for name, value in one.pools.match_metadata.items()):
        return None
    return common_pool_id(
        [one.pools.ids, other.pools.ids, *granted], [*one.pools.exclude_ids, *other.pools.exclude_ids]
    )


def common_connection_names(one: NameSelector, other: NameSelector) -> tuple[str, ...]:
    """The connections that both selectors name; none where one of them selects by labels."""
    return tuple(sorted(set(one.names or ()) & set(other.names or ())))


def may_share_labels(one: NameSelector, other: NameSelector) -> bool:
    """Whether one connection may have the labels that both selectors ask for."""
    if one.match_labels is None or other.match_labels is None:
        return False
    theirs = other.match_labels
    return all(theirs.get(key, value) == value for key, value in one.match_labels.items())
