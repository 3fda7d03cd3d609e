"""Regular expressions as the API server reads them: in RE2 syntax, whose `$` and classes are not those of Python."""

from __future__ import annotations

from functools import lru_cache

from kubeemulator.cellibrary import cel


class PatternError(ValueError):
    """The pattern is no RE2 expression."""


@lru_cache(maxsize=1)
def _matcher() -> cel.Expression:
    env = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return env.compile("text.matches(pattern)")


@lru_cache(maxsize=4096)
def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text.

    Raises:
        PatternError: The pattern is not RE2.
    """
    verdict = _matcher().eval(data={"text": text, "pattern": pattern}).plain_value()
    if not isinstance(verdict, bool):
        raise PatternError(f"invalid regular expression {pattern!r}: {verdict}")
    return verdict
