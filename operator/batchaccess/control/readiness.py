"""What stands between the operator and its work."""

import logging
from collections.abc import Sequence

_log = logging.getLogger(__name__)


class Readiness:
    """What stands between the operator and its work, for `/readyz` and the log."""

    def __init__(self) -> None:
        self._problems: Sequence[str] = ("the Kubernetes API was not read yet",)

    def problems(self) -> Sequence[str]:
        """One sentence each; none once everything declared was read."""
        return self._problems

    def tell(self, problems: Sequence[str]) -> None:
        """Take in what stands in the way now; logged when it changes."""
        if list(problems) != list(self._problems):
            for problem in problems:
                _log.error("%s; trying again until it is so", problem)
        self._problems = problems
