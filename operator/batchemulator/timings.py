"""How long the service takes for what it does, in seconds of its own time; the clock's scale shortens all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Durations in seconds, near those in the recordings where one shows them."""

    settle: float = 1.3
    """A resize that changes nothing; a new pool with target 0 was resizing for 1.2 to 2 s."""
    allocation: float = 30.0
    """From a resize up to its nodes being there and the pool steady; recorded 32 to 42 s."""
    creating: float = 5.0
    """A new node in state creating."""
    starting: float = 40.0
    """A new node in state starting, before it takes tasks."""
    removal: float = 25.0
    """From a node leaving its pool to it being gone; recorded more than 25 s even for starting nodes."""
    stopping: float = 2.0
    """A stopped resize until the pool is steady."""
    deletion: float = 10.0
    """An empty pool in state deleting."""
    deletion_with_nodes: float = 90.0
    """A pool with nodes in state deleting; recorded more than 75 s."""
    first_evaluation: float = 5.0
    """From enabling autoscale to its first evaluation."""
    job_transition: float = 1.0
    """A job in state disabling, terminating or deleting once nothing of it runs."""
    task: float = 10.0
    """A task whose command line does not say `sleep`."""


DEFAULT_TIMINGS = Timings()
