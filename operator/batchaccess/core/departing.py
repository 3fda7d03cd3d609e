"""What is said of a connection or a policy that goes: why it is still there, and what is not done meanwhile."""

from collections.abc import Collection
from typing import Final

from batchaccess.core.reasons import ConnectionReason
from batchaccess.core.texts import listed

WORKING: Final = frozenset({ConnectionReason.CONNECTED, ConnectionReason.SUSPENDED})
"""The reasons of a connection that is Ready: its pools are observed, and corrected as far as is asked for."""

_TOLD_TO_LEAVE: Final = "The operator was told to leave by batchaccess uninstall: pools are observed, nothing is begun."
_TO_STAY: Final = (
    "If it is to stay, remove the annotation batchaccess.dev/leaving-since; a quarter of an hour after that was set it "
    "goes on by itself."
)


def deletion_message(restoring: Collection[str]) -> str:
    """What an object that is being deleted says; `restoring` are the pools' objects whose sagas hold it."""
    if not restoring:
        return "Being deleted; nothing is corrected any more."
    return f"Being deleted; {_scale_of(restoring)} is brought back first."


def leaving_message(restoring: Collection[str]) -> str:
    """What a connection says that stays, but that the operator is told to leave."""
    first = f" First {_scale_of(restoring)} is brought back." if restoring else ""
    return f"{_TOLD_TO_LEAVE}{first} {_TO_STAY}"


def _scale_of(restoring: Collection[str]) -> str:
    return f"the scale of {listed(sorted(restoring))}"


def departing_connection(
    reason: ConnectionReason, message: str, *, deleting: bool, restoring: Collection[str]
) -> tuple[ConnectionReason, str]:
    """What a connection says while it goes, by what its last sweep had to say.

    Why its pools cannot be observed stays the reason: that is what keeps the scale from coming back.
    """
    says = deletion_message(restoring) if deleting else leaving_message(restoring)
    if reason not in WORKING:
        return reason, f"{says} {message}"
    return ConnectionReason.DELETING if deleting else ConnectionReason.LEAVING, says


def left_alone_message(connections: Collection[str]) -> str:
    """What a policy adds whose pools on these connections are only observed any more."""
    return f"Nothing is begun on connections that are being deleted or left: {listed(sorted(connections))}."
