"""A journal in a status that somebody damaged by hand while its saga is open."""

from tests.support.drains import Drains, busy_pool

NAME = "prod-weu.busy"


def damage(world: Drains) -> None:
    status = dict(world.reports.status(NAME))
    world.reports.overwrite(NAME, {**status, "journal": {**status["journal"], "step": "Nonsense"}})


async def test_the_saga_that_goes_on_from_the_azure_copy_holds_connection_and_policy_again() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    policies = set(world.finalizers.policies)
    damage(world)
    world.advance(5)
    await world.visit()
    await world.sweep()
    assert world.reports.condition(NAME, "Remediating") == ("True", "Restoring")
    assert world.finalizers.connections == {"prod-weu"}
    assert world.finalizers.policies == policies
    await world.live_until(lambda: world.is_settled)
    await world.sweep()
    assert world.pool().targets.dedicated == 3
    assert (world.finalizers.connections, world.finalizers.policies) == (set(), set())


async def test_it_is_not_resumed_while_they_cannot_be_held() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    damage(world)
    world.finalizers.failing = True
    await world.sweep()
    assert world.reports.status(NAME)["journal"]["step"] == "Nonsense"
    world.finalizers.failing = False
    await world.live_until(lambda: world.is_settled)
    assert world.pool().targets.dedicated == 3
