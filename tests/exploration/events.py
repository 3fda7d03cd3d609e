"""Everything that happens to the world without the operator: time, other people, crashes and losses."""

from collections.abc import Iterator

from batchaccess.core.model import MetadataItem, NodeCounts, ObjectKey
from batchaccess.core.saga.actions import WriteKubernetesJournal
from batchaccess.core.saga.journal import Journal, PolicyVersion
from batchaccess.core.saga.metadata import is_ours, metadata_with
from batchaccess.core.saga.scale import RecordedScale
from tests.exploration.party import CLOCK, THEM, US, journal_of
from tests.exploration.performing import crashed, recorded_scales
from tests.exploration.servicemodel import FRESH, Assumptions, Pool, progress
from tests.exploration.world import ACTIONS, COPIES, NO_ACTION, NO_COPY, NO_HISTORY, State
from tests.support import build

THEIR_JOURNAL = Journal(
    saga_id="fedcba987654",
    holder=THEM,
    pool_id="p",
    pool_created=build.RECENT,
    policy=PolicyVersion(key=ObjectKey(namespace="far", name="away"), uid="far", generation=1),
    started=build.NOW,
    recorded=RecordedScale(targets=NodeCounts(dedicated=2), current=NodeCounts(dedicated=2), resize_timeout="PT20M"),
)


def time_passes(state: State, assumed: Assumptions, *, latest: int = len(CLOCK) - 2) -> Iterator[tuple[str, State]]:
    """What comes by itself; the last time of day is for worlds that are left alone."""
    for label, pool in progress(state.pool, assumed):
        gone = pool.life == "gone"
        after = state._replace(pool=pool)
        yield label, after._replace(copy=NO_COPY, copy_etag=None, mark=None) if gone else after
    if state.clock < latest and not is_closed(state):
        yield "time passes", state._replace(clock=state.clock + 1)


def crash(state: State) -> Iterator[tuple[str, State]]:
    """The process dies between two actions."""
    if state.budget.crashes:
        yield "crash", crashed(state)._replace(budget=state.budget._replace(crashes=state.budget.crashes - 1))


def losses(state: State) -> Iterator[tuple[str, State]]:
    """One copy of the journal is lost; never both, for then nobody knows the scale."""
    if not state.budget.losses:
        return
    spent = state._replace(budget=state.budget._replace(losses=state.budget.losses - 1))
    if state.copy != NO_COPY or state.history != NO_HISTORY:
        lost = crashed(spent)._replace(
            copy=NO_COPY, copy_etag=None, mark=None, history=NO_HISTORY, drains=0, restored=False
        )
        yield "the Kubernetes status is lost", lost
    if any(is_ours(item) for item in state.pool.metadata) and not _is_theirs(state.pool):
        kept = tuple(item for item in state.pool.metadata if not is_ours(item))
        yield "our metadata is lost", spent._replace(pool=state.pool._replace(metadata=kept, etag=FRESH))


def edits(state: State) -> Iterator[tuple[str, State]]:
    """What other people do."""
    if not state.budget.edits or state.pool.life != "active":
        return
    spent = state._replace(budget=state.budget._replace(edits=state.budget.edits - 1))
    yield from _scale_edits(spent)
    yield from _pool_edits(spent)
    yield from _declarations(spent)
    yield from _other_operators(spent)


def _scale_edits(state: State) -> Iterator[tuple[str, State]]:
    pool = state.pool
    if pool.formula is None and pool.allocation == "steady":
        grown = pool._replace(target=3, timeout="PT15M", allocation="resizing", etag=FRESH, since=FRESH)
        yield "somebody resizes to 3", _wished(state, grown)
        if pool.target:
            none = pool._replace(target=0, allocation="resizing", etag=FRESH, since=FRESH)
            yield "somebody resizes to 0", _wished(state, none)
        yield "somebody enables F2", _wished(state, pool._replace(formula="F2", etag=FRESH))
    if pool.formula is not None:
        if pool.formula != "F2":
            yield "somebody changes the formula", _wished(state, pool._replace(formula="F2", etag=FRESH))
        yield "somebody disables autoscale", _wished(state, pool._replace(formula=None, etag=FRESH))
    if pool.allocation == "resizing" and pool.formula is None:
        yield "somebody stops the resize", state._replace(pool=pool._replace(allocation="stopping", since=FRESH))


def _wished(state: State, pool: Pool) -> State:
    """The new scale is the only right one; where it cannot be told from our own doing, the recorded one is as well."""
    if is_closed(state) or _can_be_told(state, pool):
        return state._replace(pool=pool, legit=frozenset({pool.scale}))
    return state._replace(pool=pool, legit=state.legit | {pool.scale} | recorded_scales(state))


def _can_be_told(state: State, pool: Pool) -> bool:
    """Whether a scale that somebody sets in a saga must stand; docs/limits.md says why others may not.

    While nothing was changed the saga may still record the scale that it finds, and what it drained to may be ours.
    """
    copy = COPIES.value(state.copy)
    if copy is None:
        return False
    if state.restored and pool.formula is None and state.pool.formula is not None:
        # A formula that goes out of force again before any node moved leaves no trace.
        return state.mark is not None and pool.since != state.mark.since
    if state.restored:
        return True
    known = copy.emptied or copy.standing is not None or state.mark is not None
    paused = None if copy.standing is None or copy.emptied else copy.standing.dedicated
    return state.changed and known and pool.formula is None and pool.target not in (0, state.pool.target, paused)


def _pool_edits(state: State) -> Iterator[tuple[str, State]]:
    pool = state.pool
    item = MetadataItem(name="note", value="x")
    if item not in pool.metadata:
        yield "somebody adds metadata", state._replace(pool=pool._replace(metadata=(item, *pool.metadata), etag=FRESH))
    if pool.is_empty:
        for network in ("other", "good"):
            if pool.network != network:
                changed = pool._replace(network=network, etag=FRESH)
                yield f"somebody makes the network {network}", state._replace(pool=changed, drains=0)
    yield "somebody deletes the pool", state._replace(pool=pool._replace(life="deleting", etag=FRESH))


def _declarations(state: State) -> Iterator[tuple[str, State]]:
    for policy in ("suspended", "edited", "gone"):
        if state.policy != policy:
            yield f"the policy is {policy}", state._replace(policy=policy, drains=0)
    yield "the breaker turns", state._replace(breaker=not state.breaker)
    if state.requested is None:
        drains = state.drains if _is_correcting(state) else 0
        yield "somebody asks for another try", state._replace(requested="now", drains=drains)


def _is_correcting(state: State) -> bool:
    """Whether how the saga ends is not decided yet: that will be the answer to what is asked for until then."""
    copy, decided = COPIES.value(state.copy), ACTIONS.value(state.action)
    if copy is None or copy.ending is not None:
        return False
    action = None if decided is None else decided.action
    return not (isinstance(action, WriteKubernetesJournal) and action.copy.ending is not None)


def _other_operators(state: State) -> Iterator[tuple[str, State]]:
    pool = state.pool
    if journal_of(pool.metadata) is None:
        theirs = metadata_with(pool.metadata, THEIR_JOURNAL)
        yield "another operator begins a saga", state._replace(pool=pool._replace(metadata=theirs, etag=FRESH))
    elif _is_theirs(pool):
        kept = tuple(item for item in pool.metadata if not is_ours(item))
        yield "the other operator ends its saga", state._replace(pool=pool._replace(metadata=kept, etag=FRESH))
        if not state.adopt:
            recorded = ("targets", 2, "PT20M")
            yield "somebody says adopt", state._replace(adopt=True, legit=state.legit | {recorded})


def _is_theirs(pool: Pool) -> bool:
    found = journal_of(pool.metadata)
    return isinstance(found, Journal) and found.holder == THEM


def is_closed(state: State) -> bool:
    """Whether no saga of ours is open anywhere."""
    found = journal_of(state.pool.metadata)
    ours = isinstance(found, Journal) and found.holder == US
    return state.copy == NO_COPY and not ours


def is_idle(state: State) -> bool:
    """Whether nothing was decided on that is still to be performed."""
    return state.action == NO_ACTION
