"""The worlds that are explored: three kinds of pools, what may go wrong at once, and every unknown of the service."""

from collections.abc import Iterator

from tests.exploration.party import Party
from tests.exploration.search import World
from tests.exploration.servicemodel import Assumptions, Pool
from tests.exploration.world import Budget

POOLS = {
    "fixed": (Pool(), Party()),
    "autoscaled": (Pool(formula="F1"), Party()),
    "paused at zero": (Pool(formula="zero", target=0, current=0), Party(strategy="Pause")),
}
"""A pool with targets that is drained, one with a formula, and one whose autoscale is only paused."""

UNKNOWNS = {
    "as documented": Assumptions(),
    "an evaluation moves the eTag": Assumptions(evaluation_moves_etag=True),
    "leftover nodes leave later": Assumptions(leftovers_leave_later=True),
    "a PATCH of a busy pool is accepted without effect": Assumptions(non_empty_patch_accepted=True),
    "a PATCH does something else": Assumptions(patch_clobbers=True),
    "an empty list is ignored": Assumptions(empty_list_ignored=True),
    "metadata is refused": Assumptions(metadata_refused=True),
    "If-Match is understood without quotes only": Assumptions(if_match="bare"),
    "If-Match is never understood": Assumptions(if_match="neither"),
    "autoscale can be enabled while resizing": Assumptions(autoscale_refused_while_resizing=False),
    "a resizing pool counts as empty": Assumptions(emptiness_ignores_resizing=True),
}

DOCUMENTED = {"as documented": UNKNOWNS["as documented"]}
OTHER_UNKNOWNS = {name: assumed for name, assumed in UNKNOWNS.items() if name not in DOCUMENTED}

NO_PROGRESS = frozenset({"a PATCH does something else", "metadata is refused", "If-Match is never understood"})
"""Under these the network cannot be corrected; safety holds all the same."""

SMALL = (Budget(crashes=1, errors=1), Budget(edits=1), Budget(crashes=1, losses=1))
FULL = (
    Budget(crashes=2, errors=2),
    Budget(crashes=1, errors=1, losses=1),
    Budget(edits=1, crashes=1),
    Budget(edits=1, errors=1),
    Budget(edits=1, losses=1),
    Budget(edits=2),
)


TOO_LARGE = frozenset({("autoscaled", Budget(edits=2))})
"""Left out: millions of states. Two edits of a pool with a formula are met at random, in `tests/endurance`."""


def worlds(budgets: tuple[Budget, ...], unknowns: dict[str, Assumptions]) -> Iterator[World]:
    """Every pool under every unknown with every budget."""
    for unknown, assumed in unknowns.items():
        for kind, (pool, party) in POOLS.items():
            for budget in budgets:
                if (kind, budget) in TOO_LARGE:
                    continue
                name = f"{kind}, {unknown}, {told(budget)}"
                yield World(name=name, pool=pool, budget=budget, assumed=assumed, party=party)


def told(budget: Budget) -> str:
    """A budget in words."""
    parts = [f"{count} {what}" for what, count in budget._asdict().items() if count]
    return " + ".join(parts) or "nothing goes wrong"
