import pytest

from batchaccess.core.saga.table import TABLE
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
    expected = {
        (step.value, rule.when): {step.value if rule.leads_to is None else str(rule.leads_to)}
        for step, rules in TABLE.items()
        for rule in rules
    }
    seen: dict[tuple[str, str], set[str]] = {}
    for world in worlds(SMALL, DOCUMENTED):
        for step, when, leads in explore(world, most_states=MOST_STATES).leads:
            seen.setdefault((step, when), set()).add(leads)
    for rule, led in seen.items():
        told = {word for each in expected[rule] for word in each.split(" or ")}
        assert led <= told | {rule[0]}, (rule, led)
        assert led & told, (rule, led)
    assert len(seen) >= 45, sorted(expected.keys() - seen.keys())
