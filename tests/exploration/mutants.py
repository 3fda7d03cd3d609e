"""Operators with one rule broken, each in the smallest world that shows it, and the invariant that has to fail."""

from tests.exploration.party import Party
from tests.exploration.search import World
from tests.exploration.servicemodel import Pool
from tests.exploration.world import Budget

FIXED, AUTOSCALED = Pool(), Pool(formula="F1")


def _world(name: str, party: Party, pool: Pool = FIXED, budget: Budget = Budget()) -> World:  # noqa: B008 immutable
    return World(name=name, pool=pool, budget=budget, party=party)


MUTANTS: dict[str, tuple[World, str]] = {
    "skips the re-read before disabling autoscale": (
        _world("reread", Party(rereads_before_disabling=False), AUTOSCALED, Budget(edits=1)),
        "1: nothing is changed but the recorded scale",
    ),
    "drops If-Match": (
        _world("if-match", Party(sends_if_match=False), budget=Budget(edits=1)),
        "3: never two writers on one pool",
    ),
    "sends the metadata with the network": (
        _world("metadata", Party(sends_metadata_with_network=True), budget=Budget(losses=1)),
        "1: the scale ends",
    ),
    "omits the resizeTimeout": (_world("timeout", Party(sends_resize_timeout=False)), "1: the scale ends"),
    "records the drained scale": (_world("drained", Party(records_drained_scale=True)), "1: the scale ends"),
    "forgets to write the Azure copy": (
        _world("one copy", Party(writes_azure_copy=False)),
        "1: nothing is changed without a journal in Azure",
    ),
    "forgets to remove the Azure copy": (
        _world("left copy", Party(removes_azure_copy=False)),
        "5: left alone, the operator comes to rest",
    ),
    "takes a drain without an answer for one that was not sent": (
        World(
            name="unanswered",
            pool=FIXED,
            budget=Budget(edits=1, errors=1),
            party=Party(doubts_unanswered=False),
            only=frozenset({"somebody resizes to 3"}),
        ),
        "3: never a second drain",
    ),
    "drains twice": (_world("twice", Party(latches=False)), "3: never a second drain"),
}
