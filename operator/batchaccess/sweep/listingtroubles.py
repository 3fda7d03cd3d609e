"""What cannot be listed is said when that begins, when the reason changes and when it is over, not in every sweep."""

import logging
from collections.abc import Collection

from batchaccess.ports import PortError


class ListingTroubles:
    """What could not be listed the last time, and why; told to `log`."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._reasons: dict[str, str] = {}

    def failed(self, what: str, error: PortError) -> None:
        """Take in that `what`, in words that stay the same, was not listed."""
        reason = str(error)
        if self._reasons.get(what) != reason:
            self._reasons[what] = reason
            self._log.warning("%s were not listed: %s", what, reason)

    def listed(self, what: str) -> None:
        """Take in that it was."""
        if self._reasons.pop(what, None) is not None:
            self._log.info("%s are listed again", what)

    def keep_only(self, present: Collection[str]) -> None:
        """Forget the trouble with what is not there any more."""
        for gone in self._reasons.keys() - present:
            del self._reasons[gone]
