"""How alerts look past a restart of the operator, which takes every series away until the accounts are swept again.

What fires keeps firing for a while (KEEP_FIRING), or else it would be resolved and told again at every rollout. What is
about to fire goes by what was shown last (`lately`), or else its `for` would begin anew at every crash.
"""

from typing import Final

BRIDGED: Final = "15m"
"""How old what was shown last may be: a crash loop waits for five minutes at most, then there is a first sweep."""

BRIDGED_SECONDS: Final = 900

KEEP_FIRING: Final = "5m"
"""`keep_firing_for` of every alert: longer than a rollout takes."""

UP_FOR_LONG: Final = f"""\
on ()
    time() - max(process_start_time_seconds and on (instance, job) batchaccess_leader == 1) > {BRIDGED_SECONDS}"""
"""Whose operator has worked for so long shows everything there is: what it does not show was deleted."""

POOLS_SHOWN: Final = ("on (connection) batchaccess_pools",)
"""An account shows how many pools it has together with its pools."""

CONNECTION_SHOWN: Final = ('on (connection) batchaccess_connection_condition{type="Ready"}', UP_FOR_LONG)

ACCEPTANCE_SHOWN: Final = ('on (policy) batchaccess_policy_condition{type="Accepted"}', UP_FOR_LONG)

ENFORCEMENT_SHOWN: Final = (
    'on (policy) batchaccess_policy_condition{type="Enforced", reason!="NotObserved"}',
    UP_FOR_LONG,
)
"""Until the accounts of a policy were swept it is only known that nothing is."""


def lately(selector: str, *, by: str, unless: tuple[str, ...]) -> str:
    """What `selector` shows or, where the operator shows nothing yet, what it showed last.

    Args:
        selector: an instant vector selector.
        by: the labels to keep; of an old and a new process beside each other the greater value counts.
        unless: operands of `unless` that tell when what is shown is all there is.
    """
    known = "\n".join(f"  unless {each}" for each in unless)
    return f"""\
max by ({by}) (
{indented(selector)}
)
or
(
  max by ({by}) (
    last_over_time(
{indented(selector, 6)}[{BRIDGED}]
    )
  )
{known}
)
"""


def indented(text: str, by: int = 2) -> str:
    """The text some spaces further right, without the end of its last line."""
    return "\n".join(f"{' ' * by}{line}" for line in text.rstrip("\n").split("\n"))
