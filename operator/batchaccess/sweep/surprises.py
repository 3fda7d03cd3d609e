"""Exceptions that nobody expected: what one pool dies of must not keep the scales of the others from coming back."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from batchaccess.telemetry.logcontext import log_context

_log = logging.getLogger(__name__)


class Surprises:
    """The pools of one account that such an exception was about since the last pass began.

    Each is logged with its traceback once, for as long as it comes again in every pass.
    """

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}
        self._logged: set[tuple[str, str]] = set()

    @property
    def problems(self) -> Mapping[str, str]:
        """What to say of each pool, by its id."""
        return MappingProxyType(self._problems)

    def begin_pass(self, present: Collection[str]) -> None:
        """Look anew at everything; pools that are not `present` any more are forgotten."""
        self._logged = {(pool_id, name) for pool_id, name in self._logged if pool_id in self._problems.keys() & present}
        self._problems.clear()

    @contextmanager
    def about(self, pool_id: str) -> Iterator[None]:
        """Go on after the `with` block whatever happens in it, which concerns this pool alone."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 the other pools go on; it is logged, reported, and the pass incomplete
            name = type(error).__qualname__
            self._problems[pool_id] = f"an exception that nobody expected ({name}), see the log of the operator"
            if (pool_id, name) not in self._logged:
                self._logged.add((pool_id, name))
                with log_context(pool=pool_id):
                    _log.exception("an exception that nobody expected; the other pools go on")
