"""What would be done about a pool, what it costs, and what a plan must not pass over."""

from dataclasses import replace

import pytest

from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Assertion,
    AuthType,
    Mode,
    Remediation,
    Strategy,
    Unlisted,
)
from batchaccess.core.model import AllocationState, NodeFindings, ObservedPool, PoolState, Scale
from batchaccess.core.preview import Preview, Step, decided_by_a_stranger, preview
from batchaccess.core.reasons import ExposedReason
from batchaccess.core.saga.windows import WindowVerdict
from batchaccess.core.selection import Candidates
from tests.core.saga.situations import carrying, journal
from tests.support.build import NOW, SUBNET, access, connection, endpoint, policy, pool, wanted

OPEN_SSH = endpoint("SSH")
OFFICE = wanted("SSH", allow_from=["203.0.113.0/24"])


CLOSED_TO_OTHERS = endpoint("SSH", "allow 203.0.113.0/24", "deny *")
TOO_NEAR = wanted("web", port=80, frontend="4050-4150")


AT_ZERO = replace(
    pool("p", OPEN_SSH),
    scale=Scale(autoscale=True, autoscale_formula="$TargetDedicatedNodes=0;", autoscale_interval="PT15M"),
)
PAUSES = replace(policy("a", OFFICE), remediation=Remediation(pause_autoscale=True))
ALWAYS = WindowVerdict(permitted=True)


def previewed(
    of: ObservedPool,
    *policies: AccessPolicy,
    nodes: NodeFindings | None = None,
    account: AccountConnection | None = None,
    windows: WindowVerdict = ALWAYS,
) -> Preview:
    account = account or connection()
    candidates = Candidates.of(account, policies, {})
    return preview(
        of,
        nodes=nodes,
        connection=account,
        candidates=candidates,
        decide=lambda assessment: decided_by_a_stranger(assessment, account, now=NOW),
        windows=lambda _: windows,
    )


CASES = [
    pytest.param(pool("p", OPEN_SSH), None, Step.NONE, (), id="no policy, nothing to do"),
    pytest.param(pool("p", CLOSED_TO_OTHERS), policy("a", OFFICE), Step.NONE, (), id="as declared"),
    pytest.param(pool("p", OPEN_SSH), policy("a", OFFICE, mode=Mode.AUDIT), Step.REPORT, (), id="audit reports"),
    pytest.param(pool("p", OPEN_SSH), policy("a", OFFICE), Step.PATCH, (), id="an empty pool is patched now"),
    pytest.param(pool("p", OPEN_SSH, nodes=1), policy("a", OFFICE), Step.WAIT, ("1 node",), id="nodes keep it busy"),
    pytest.param(
        pool("p", OPEN_SSH, nodes=2),
        policy("a", OFFICE, strategy=Strategy.DRAIN),
        Step.DRAIN,
        (),
        id="a pool that may be drained is",
    ),
    pytest.param(
        pool("p", OPEN_SSH, nodes=2, autoscale=True, allocation_state=AllocationState.RESIZING),
        policy("a", OFFICE, strategy=Strategy.DRAIN),
        Step.WAIT,
        ("2 nodes", "autoscale", "allocation resizing"),
        id="somebody else's resize is waited for",
    ),
    pytest.param(AT_ZERO, PAUSES, Step.PAUSE, ("autoscale",), id="autoscale at zero may be paused"),
    pytest.param(AT_ZERO, policy("a", OFFICE), Step.WAIT, ("autoscale",), id="or is waited for"),
    pytest.param(
        pool("p", OPEN_SSH, state=PoolState.DELETING),
        policy("a", OFFICE, strategy=Strategy.DRAIN),
        Step.WAIT,
        (),
        id="a pool being deleted is not drained",
    ),
    pytest.param(pool("p", OPEN_SSH), policy("a", OFFICE, suspend=True), Step.WAIT, (), id="a suspended one waits"),
    pytest.param(
        pool("p", OPEN_SSH),
        policy("a", declares=access(TOO_NEAR, unlisted=Unlisted.KEEP)),
        Step.REFUSE,
        (),
        id="a limit stands in the way",
    ),
]


@pytest.mark.parametrize(("of", "governing", "step", "waits_for"), CASES)
def test_the_step(of: ObservedPool, governing: AccessPolicy | None, step: Step, waits_for: tuple[str, ...]) -> None:
    found = previewed(of) if governing is None else previewed(of, governing)
    assert (found.step, found.waits_for) == (step, waits_for)
    assert bool(found.message) is (step is not Step.NONE)


def test_a_stranger_does_not_say_whose_correction_is_open_nor_how_to_adopt_it() -> None:
    busy = carrying(pool("p", OPEN_SSH, nodes=2), journal())
    found = previewed(busy, policy("a", OFFICE, strategy=Strategy.DRAIN))
    assert (found.step, found.message) == (Step.WAIT, "A correction of this pool is open (saga 0123456789ab).")


def test_wanted_nodes_keep_a_pool_busy_too() -> None:
    busy = pool("p", OPEN_SSH, nodes=3)
    coming = replace(busy, scale=replace(busy.scale, current=pool("q").scale.current))
    assert previewed(coming, policy("a", OFFICE)).waits_for == ("3 nodes wanted",)


def test_exposure_before_and_after() -> None:
    found = previewed(pool("p", OPEN_SSH), policy("a", wanted("SSH")))
    assert found.assessment.exposed is ExposedReason.INTERNET_REACHABLE
    assert found.after is not None
    assert found.after.exposed is ExposedReason.NONE


def test_only_draining_costs_nodes() -> None:
    busy = pool("p", OPEN_SSH, nodes=2)
    assert previewed(busy, policy("a", OFFICE)).cost is None
    cost = previewed(busy, policy("a", OFFICE, strategy=Strategy.DRAIN)).cost
    assert cost is not None
    assert (cost.nodes, cost.timeout_seconds, cost.autoscale) == (2, 7200, False)


@pytest.mark.parametrize(
    ("found", "is_found"),
    [
        pytest.param(previewed(pool("p", OPEN_SSH)), False, id="exposure without policy is for audits"),
        pytest.param(previewed(pool("p", OPEN_SSH), policy("a", OFFICE)), True, id="drift"),
        pytest.param(
            previewed(pool("p", endpoint("SSH", "deny 0.0.0.0/0", "deny *")), policy("a", wanted("SSH"))),
            False,
            id="mere spelling",
        ),
        pytest.param(
            previewed(
                pool("p", OPEN_SSH),
                policy(
                    "a",
                    declares=access(manage_endpoints=False, subnet_id=None),
                    assertions=[Assertion(name="closed", not_reachable_from=("Internet",))],
                ),
            ),
            True,
            id="an assertion that does not hold",
        ),
        pytest.param(
            previewed(pool("p", OPEN_SSH), account=connection(forbid=[22])), True, id="a guardrail, policy or not"
        ),
        pytest.param(
            previewed(
                pool("p", legacy=True, nodes=1),
                policy("a", declares=access()),
                nodes=NodeFindings(nodes=1, implicit_ports=frozenset({22})),
            ),
            True,
            id="an implicit mapping",
        ),
    ],
)
def test_what_a_plan_must_not_pass_over(found: Preview, *, is_found: bool) -> None:
    assert found.is_found is is_found


@pytest.mark.parametrize(
    ("windows", "told"),
    [
        pytest.param(ALWAYS, "it may begin now", id="now"),
        pytest.param(WindowVerdict(permitted=False, until=NOW), "from 2026-03-01 12:00 UTC on", id="later"),
        pytest.param(WindowVerdict(permitted=False), "do not permit a start within", id="not soon"),
    ],
)
def test_windows_say_when_a_drain_may_begin(windows: WindowVerdict, told: str) -> None:
    found = previewed(pool("p", OPEN_SSH, nodes=1), policy("a", OFFICE, strategy=Strategy.DRAIN), windows=windows)
    assert found.step is Step.DRAIN
    assert told in found.message


def test_a_shared_key_cannot_correct_a_pool_in_a_subnet() -> None:
    found = previewed(
        pool("p", OPEN_SSH),
        policy("a", declares=access(subnet_id=SUBNET)),
        account=connection(auth=AuthType.SHARED_KEY),
    )
    assert found.step is Step.REFUSE
