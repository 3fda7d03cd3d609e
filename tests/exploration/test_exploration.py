import pytest

from tests.exploration.leads import NOT_SEEN_BOUNDED, Lead, Row, misled, unseen
from tests.exploration.mutants import MUTANTS
from tests.exploration.search import Found, World, explore
from tests.exploration.worlds import DOCUMENTED, NO_PROGRESS, OTHER_UNKNOWNS, POOLS, SMALL, UNKNOWNS, worlds

MOST_STATES = 3_000
"""Of one world in the bounded form; `python -m tests.exploration.prove` has no such haste."""

BOUNDED = [*worlds(SMALL, DOCUMENTED), *worlds(SMALL[:1], OTHER_UNKNOWNS)]


def show(found: Found) -> str:
    return "\n".join((found.violation, *found.path))


@pytest.mark.slow
@pytest.mark.timeout(600)  # seconds of a crowded machine; a quiet one needs less than one a world
@pytest.mark.parametrize("world", BOUNDED, ids=lambda world: world.name)
def test_every_invariant_holds_in_every_state(world: World) -> None:
    found = explore(world, most_states=MOST_STATES)
    print(f"{found.states} states, {found.transitions} transitions: {world.name}")  # noqa: T201 the count is asked for
    assert not found.violation, show(found)
    assert found.states > 1


@pytest.mark.parametrize(("world", "invariant"), MUTANTS.values(), ids=MUTANTS.keys())
def test_a_mutant_is_caught_that(world: World, invariant: str) -> None:
    found = explore(world, most_states=100_000)
    assert found.violation.startswith(invariant), show(found)
    assert explore(World(name="real", pool=world.pool, budget=world.budget), most_states=2_000).violation == ""


@pytest.mark.parametrize("unknown", UNKNOWNS)
@pytest.mark.parametrize("kind", POOLS)
def test_the_network_is_corrected_where_nothing_goes_wrong(kind: str, unknown: str) -> None:
    (world,) = (
        each
        for each in worlds((SMALL[0]._replace(crashes=0, errors=0),), UNKNOWNS)
        if each.name.startswith(f"{kind}, {unknown}")
    )
    found = explore(world, most_states=MOST_STATES)
    assert not found.violation, show(found)
    assert found.complete
    assert ("Nothing: Compliant" in found.decisions) is (unknown not in NO_PROGRESS)


@pytest.mark.timeout(600)
def test_every_rule_leads_where_the_table_says() -> None:
    leads = {lead for world in worlds(SMALL, DOCUMENTED) for lead in explore(world, most_states=MOST_STATES).leads}
    assert misled(leads) == []
    assert unseen(leads) == NOT_SEEN_BOUNDED


@pytest.mark.parametrize(
    ("lead", "is_wrong"),
    [
        pytest.param(Lead("Preparing", "the pool is empty", "Correcting"), False, id="to the step of the table"),
        pytest.param(Lead("Preparing", "the pool is empty", "waits"), False, id="nowhere yet"),
        pytest.param(Lead("Preparing", "the pool is empty", "Preparing"), True, id="to its own step against the table"),
        pytest.param(Lead("Preparing", "the pool is empty", "Draining"), True, id="to another step"),
        pytest.param(Lead("Clearing", "no Azure copy of ours is there", "no saga"), False, id="to the end"),
        pytest.param(Lead("Clearing", "the pool is empty", "Correcting"), True, id="by a rule of another step"),
    ],
)
def test_a_rule_that_leads(lead: Lead, *, is_wrong: bool) -> None:
    assert misled([lead]) == ([lead] if is_wrong else [])


def test_a_rule_that_was_not_seen_is_named() -> None:
    assert Row("Preparing", "the pool is empty") not in unseen([Lead("Preparing", "the pool is empty", "Correcting")])
    assert Row("Preparing", "the pool is empty") in unseen([])
