"""Bounded forms of the long scenes; `python -m tests.killmatrix.prove` plays them in full."""

from tests.endurance.scenes import hostile_actor, soak, two_operators

MOST_DRAINS_AN_HOUR = 3


async def test_two_operators_on_one_account_never_meet_on_a_pool_and_say_so() -> None:
    verdict = await two_operators(hours=0.5)
    assert verdict.problems == ()
    assert verdict.drains > 0


async def test_a_hostile_actor_makes_a_bounded_number_of_drains_and_a_metric_rise() -> None:
    verdict = await hostile_actor(hours=2.2)
    assert verdict.problems == ()
    assert 0 < verdict.most_drains_an_hour <= MOST_DRAINS_AN_HOUR
    assert "Contended" in verdict.said


async def test_days_of_drift_and_faults_end_with_the_same_scale_and_every_drift_closed_or_explained() -> None:
    verdict = await soak(40, 3, tell=lambda _: None)
    assert verdict.problems == ()
    assert verdict.drains > 0
