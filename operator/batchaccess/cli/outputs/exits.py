"""Exit statuses, as those of `argocd app diff`."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a command ends with."""

    NOTHING = 0
    """Nothing to report."""
    FOUND = 1
    """Exposure or drift was found."""
    ERROR = 2
    """Something could not be read or done; whatever was found besides, this wins."""


def exit_status(*, found: bool, failed: bool) -> ExitStatus:
    """The status of a command that found something, or failed somewhere."""
    if failed:
        return ExitStatus.ERROR
    return ExitStatus.FOUND if found else ExitStatus.NOTHING
