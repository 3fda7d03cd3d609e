"""Bounded forms of the long scenes; `python -m tests.endurance.prove_scenes` plays them in full."""

from tests.endurance.hostile import hostile_actor
from tests.endurance.rival import two_operators
from tests.endurance.soak import soak


async def test_two_operators_on_one_account_never_meet_on_a_pool_and_say_so() -> None:
    verdict = await two_operators(hours=0.5)
    assert verdict.problems == ()


async def test_a_hostile_actor_makes_a_bounded_number_of_drains_and_a_metric_rise() -> None:
    verdict = await hostile_actor(hours=2.2)
    assert verdict.problems == ()


async def test_days_of_drift_and_faults_end_with_the_same_scale_and_every_drift_closed_or_explained() -> None:
    verdict = await soak(40, 3, tell=lambda _: None)
    assert verdict.problems == ()


async def test_two_operators_that_take_each_other_for_themselves_are_noticed() -> None:
    verdict = await two_operators(hours=0.5, alike=True)
    assert any("journal of another holder" in problem for problem in verdict.problems)
