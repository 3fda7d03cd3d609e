"""A small model of what the service does to one pool: every operation and every passing of time is a pure function.

It has only what the saga depends on, so that all of its states can be visited; `test_service_model.py` holds it to the
emulator, which is held to recorded traffic.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from batchaccess.core.model import MetadataItem
from batchaccess.core.reasons import ErrorKind

DEFAULT_TIMEOUT = "PT15M"
NATURAL = {"F1": 2, "F2": 3, "zero": 0}
"""The number of nodes that each formula asks for."""


@dataclass(frozen=True)
class Assumptions:
    """What nobody has seen the service do; named as in docs/assumptions.md."""

    evaluation_moves_etag: bool = False
    leftovers_leave_later: bool = False
    non_empty_patch_accepted: bool = False
    patch_clobbers: bool = False
    """An accepted PATCH does something else (`patch_depth`, `empty_list`)."""
    empty_list_ignored: bool = False
    metadata_refused: bool = False
    if_match: str = "either"
    """`either`, `bare` or `neither`."""
    autoscale_refused_while_resizing: bool = True
    emptiness_ignores_resizing: bool = False


class Pool(NamedTuple):
    """One pool. `metadata` is the whole list; `etag` moves with every accepted write but stopresize.

    `since` stands for the time at which it entered its allocation state.
    """

    network: str = "bad"
    formula: str | None = None
    target: int = 2
    current: int = 2
    timeout: str = "PT20M"
    allocation: str = "steady"
    metadata: tuple[MetadataItem, ...] = ()
    life: str = "active"
    etag: int = 0
    since: int = 0

    @property
    def scale(self) -> tuple[object, ...]:
        """What decides the size: a formula, or targets and timeout."""
        return ("formula", self.formula) if self.formula else ("targets", self.target, self.timeout)

    @property
    def is_empty(self) -> bool:
        """Whether the pool is empty in the strictest of all senses."""
        return (
            self.life == "active"
            and self.allocation == "steady"
            and self.target == self.current == 0
            and self.formula is None
        )


class Refused(Exception):  # noqa: N818 an answer, not a failure
    """The service says no."""

    def __init__(self, kind: ErrorKind, code: str) -> None:
        super().__init__(code)
        self.kind = kind
        self.code = code


WAITING, TERMINAL, RACE = ErrorKind.WAITING, ErrorKind.TERMINAL, ErrorKind.RACE
FRESH = 1_000_000
"""An eTag, or a time, nobody has seen; renamed before the next step."""


def _written(pool: Pool) -> Pool:
    return pool._replace(etag=FRESH)


def _alive(pool: Pool) -> None:
    if pool.life == "gone":
        raise Refused(WAITING, "PoolNotFound")
    if pool.life == "deleting":
        raise Refused(WAITING, "PoolBeingDeleted")


def resize(pool: Pool, *, target: int, timeout: str | None) -> Pool:
    """POST resize."""
    _alive(pool)
    if pool.formula is not None:
        raise Refused(WAITING, "OperationInvalidForCurrentState")
    if pool.allocation != "steady":
        raise Refused(WAITING, "PoolBeingResized")
    return _written(
        pool._replace(target=target, timeout=timeout or DEFAULT_TIMEOUT, allocation="resizing", since=FRESH)
    )


def stop_resize(pool: Pool) -> Pool:
    """POST stopresize; the eTag stays."""
    _alive(pool)
    if pool.formula is not None or pool.allocation != "resizing":
        raise Refused(WAITING, "OperationInvalidForCurrentState")
    return pool._replace(allocation="stopping", since=FRESH)


def enable_autoscale(pool: Pool, formula: str, assumed: Assumptions) -> Pool:
    """POST enableautoscale."""
    _alive(pool)
    if pool.formula is None and pool.allocation != "steady" and assumed.autoscale_refused_while_resizing:
        raise Refused(WAITING, "PoolBeingResized")
    return _written(pool._replace(formula=formula))


def disable_autoscale(pool: Pool) -> Pool:
    """POST disableautoscale; the targets stay."""
    _alive(pool)
    return _written(pool._replace(formula=None))


def patch_metadata(pool: Pool, metadata: tuple[MetadataItem, ...], assumed: Assumptions) -> Pool:
    """PATCH of the metadata alone."""
    _alive(pool)
    if metadata and assumed.metadata_refused:
        raise Refused(TERMINAL, "MetadataTooLarge")
    if not metadata and assumed.empty_list_ignored:
        return _written(pool)
    return _written(pool._replace(metadata=metadata))


def patch_network(pool: Pool, network: str, assumed: Assumptions) -> Pool:
    """PATCH of the network alone."""
    _alive(pool)
    steady = pool.allocation == "steady" or assumed.emptiness_ignores_resizing
    if not (steady and pool.target == pool.current == 0):
        if assumed.non_empty_patch_accepted:
            return _written(pool)
        raise Refused(WAITING, "OperationInvalidForCurrentState")
    return _written(pool._replace(network="clobbered" if assumed.patch_clobbers else network))


def progress(pool: Pool, assumed: Assumptions) -> Iterator[tuple[str, Pool]]:
    """Everything that time alone may bring; the first is what usually comes."""
    if pool.life == "deleting":
        yield "the pool is gone", Pool(life="gone", etag=pool.etag)
    if pool.life != "active":
        return
    if pool.allocation == "resizing":
        yield "the resize ends", pool._replace(allocation="steady", current=pool.target, since=FRESH)
        if pool.current != pool.target:
            yield "the resize times out", pool._replace(allocation="steady", since=FRESH)
    elif pool.allocation == "stopping":
        yield "the resize is stopped", pool._replace(allocation="steady", since=FRESH)
    elif pool.formula is not None and pool.target != NATURAL[pool.formula]:
        grown = pool._replace(target=NATURAL[pool.formula], allocation="resizing", since=FRESH)
        yield "the formula is evaluated", _written(grown) if assumed.evaluation_moves_etag else grown
    elif assumed.leftovers_leave_later and pool.target < pool.current and pool.formula is None:
        yield "the last tasks end", pool._replace(current=pool.target)
