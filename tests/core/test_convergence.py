"""What holds for every pool and every policy: applying the desired network ends all drift, and never opens more."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from batchaccess.core.addresses import ALL_ADDRESSES, AddressSet
from batchaccess.core.assessment import assess
from batchaccess.core.decision import Nothing, PatchNetwork, decide
from batchaccess.core.declared import (
    AccessPolicy,
    DesiredAccess,
    Unlisted,
)
from batchaccess.core.desired import desired_network
from batchaccess.core.drift import drift_between, pool_drift
from batchaccess.core.memory import NOTHING_REMEMBERED
from batchaccess.core.model import (
    IpFamily,
    Network,
)
from batchaccess.core.reach import Reach
from batchaccess.core.reachability import reachability
from batchaccess.core.reasons import DriftClass, PoolOutcome
from batchaccess.core.selection import Candidates
from batchaccess.core.sources import Tag, parse_source
from batchaccess.core.verification import Verified, verify
from batchaccess.core.wire import network_configuration_body
from tests.core.strategies import accesses, networks, within_limits
from tests.support.build import NOW, as_observed, as_returned, connection, policy, pool


def applied(observed: Network, declared: DesiredAccess) -> tuple[dict[str, Any], Network]:
    """The body sent, and what a later GET shows if the service does as it is told."""
    raw = as_returned(observed)
    body = network_configuration_body(raw, observed, desired_network(observed, declared), declared)
    return body, as_observed(body)


@given(networks(), accesses())
def test_applying_ends_all_drift_but_the_case_of_ids(observed: Network, declared: DesiredAccess) -> None:
    _, after = applied(observed, declared)
    again = desired_network(after, declared)
    drift = pool_drift(after, again, declared, None)
    assert drift.kind in (DriftClass.NONE, DriftClass.NEUTRAL)
    assert {each.field for each in drift.differences} <= {"subnetId", "publicAddresses.addressIds"}


@given(networks(), accesses())
def test_applying_twice_sends_the_same_body(observed: Network, declared: DesiredAccess) -> None:
    body, after = applied(observed, declared)
    again = network_configuration_body(body, after, desired_network(after, declared), declared)
    assert again == body


@given(networks(), accesses())
def test_compiling_is_idempotent(observed: Network, declared: DesiredAccess) -> None:
    desired = desired_network(observed, declared)
    assert desired_network(desired, declared) == desired


@given(networks(), accesses())
def test_what_was_applied_is_verified_and_what_was_not_is_not(observed: Network, declared: DesiredAccess) -> None:
    body, after = applied(observed, declared)
    desired = desired_network(observed, declared)
    before_pool, after_pool = pool("p", on=observed), pool("p", on=after, raw=body)
    assert verify(before_pool, after_pool, desired=desired, access=declared) == Verified()
    drifts = drift_between(observed, desired).is_correctable
    unchanged = verify(before_pool, before_pool, desired=desired, access=declared)
    assert isinstance(unchanged, Verified) is not drifts


@given(networks(), accesses())
def test_a_decision_to_patch_is_followed_by_nothing_to_do(observed: Network, declared: DesiredAccess) -> None:
    account = connection()
    candidates = Candidates.of(account, [policy(declares=declared)], {})

    def decision(on: Network) -> object:
        found = assess(pool("p", on=on), nodes=None, connection=account, candidates=candidates)
        return decide(found, connection=account, memory=NOTHING_REMEMBERED, now=NOW)

    first = decision(observed)
    assume(isinstance(first, PatchNetwork))
    assert isinstance(first, PatchNetwork)
    assert within_limits(first.desired)
    assert decision(as_observed(dict(first.body))) == Nothing(outcome=PoolOutcome.COMPLIANT)


@given(networks(), accesses())
def test_the_desired_network_admits_nobody_beyond_what_is_declared(observed: Network, declared: DesiredAccess) -> None:
    if declared.endpoints is None:
        return
    desired = reachability(desired_network(observed, declared), legacy=False)
    by_name = {each.name: each for each in desired.endpoints}
    for item in declared.endpoints.items:
        if item.allow_from is None:
            continue
        allowed, tagged = AddressSet.of_families(()), False
        for source in item.allow_from:
            parsed = parse_source(source)
            if isinstance(parsed, Tag):
                tagged = True
            else:
                allowed |= parsed
        function = by_name[item.name].function
        assert function.open_sources <= allowed
        if not tagged:
            beyond = AddressSet.of_families((IpFamily.IPV4,)) - allowed
            assert function.reach_from(beyond) is Reach.CLOSED
    names = {item.name.casefold() for item in declared.endpoints.items}
    if declared.endpoints.unlisted is Unlisted.REMOVE:
        assert {name.casefold() for name in by_name} == names


@given(accesses())
def test_no_declared_endpoint_is_ever_left_without_rules(declared: DesiredAccess) -> None:
    for endpoint in desired_network(Network(), declared).endpoints:
        assert endpoint.rules, f"{endpoint.name} would admit {ALL_ADDRESSES}"


@given(accesses(), networks(), st.data())
def test_the_order_of_items_and_sources_never_matters(
    declared: DesiredAccess, observed: Network, drawn: st.DataObject
) -> None:
    if declared.endpoints is None:
        return
    shuffled = DesiredAccess(
        endpoints=type(declared.endpoints)(
            unlisted=declared.endpoints.unlisted, items=tuple(drawn.draw(st.permutations(declared.endpoints.items)))
        ),
        public_addresses=declared.public_addresses,
        subnet_id=declared.subnet_id,
        accelerated_networking=declared.accelerated_networking,
    )
    assert desired_network(observed, shuffled) == desired_network(observed, declared)


@given(st.lists(accesses(), min_size=2, max_size=4), networks(), st.randoms(use_true_random=False))
def test_the_order_of_policies_never_matters(declared: list[DesiredAccess], observed: Network, chance: Any) -> None:  # noqa: ANN401 hypothesis does not export the type of its randoms
    policies: list[AccessPolicy] = [
        policy(f"p{index}", declares=each, priority=index % 2, age_days=index % 3)
        for index, each in enumerate(declared)
    ]
    shuffled = list(policies)
    chance.shuffle(shuffled)
    account = connection()
    first, second = (
        assess(pool("p", on=observed), nodes=None, connection=account, candidates=Candidates.of(account, order, {}))
        for order in (policies, shuffled)
    )
    assert first == second
