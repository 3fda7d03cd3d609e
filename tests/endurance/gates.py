"""When a drain may start, as the lives draw it and as the witness judges it: limits, windows, the breaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from batchaccess.core.declared import Window, WindowKind
from tests.oracle.cronminutes import MINUTE, occurrences

_ALLOW: Final = Window(kind=WindowKind.ALLOW, schedule="0 */2 * * *", duration_seconds=1800, time_zone="Europe/Berlin")
_DENY: Final = Window(kind=WindowKind.DENY, schedule="15 * * * *", duration_seconds=900, time_zone="Asia/Kolkata")

WINDOWS: Final[dict[str, tuple[Window, ...]]] = {
    "none": (),
    "allow": (_ALLOW,),
    "deny": (_DENY,),
    "both": (_ALLOW, _DENY),
}
"""Whatever is chosen permits a start every two hours, which is less than the operator must be quiet in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many sagas may be open at once, and from how many drifting pools on the breaker opens."""

    of_connection: int = 1000
    of_policy: int = 1000
    fewest_drifting: int = 10


def permits(windows: Sequence[Window], instant: datetime) -> bool:
    """Whether windows permit a start at an instant, by an oracle that asks minute by minute."""
    inside = {kind: any(each.kind is kind and _is_inside(each, instant) for each in windows) for kind in WindowKind}
    allows = any(each.kind is WindowKind.ALLOW for each in windows)
    return not inside[WindowKind.DENY] and (inside[WindowKind.ALLOW] or not allows)


def _is_inside(window: Window, instant: datetime) -> bool:
    length = timedelta(seconds=window.duration_seconds)
    first = (instant - length).replace(second=0, microsecond=0)
    starts = occurrences(window.schedule, window.time_zone, first, first + length + MINUTE)
    return any(start <= instant < start + length for start in starts)
