"""The metrics of sagas know every ending that a saga can have."""

from batchaccess.core.saga.steps import Ending
from batchaccess.telemetry.words import SagaOutcome


def test_every_ending_of_a_saga_is_an_outcome() -> None:
    ours = {SagaOutcome.ABANDONED.value, SagaOutcome.FORGOTTEN.value}
    assert {outcome.value for outcome in SagaOutcome} == {ending.value for ending in Ending} | ours
