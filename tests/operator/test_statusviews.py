from dataclasses import replace
from typing import Any

import pytest

from batchaccess.api import render_status
from batchaccess.control.duplicates import assign
from batchaccess.control.statusviews import StatusViews
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.reasons import ConditionType, ConnectionReason
from batchaccess.core.saga.journal import PolicyVersion
from batchaccess.core.status import Condition, ConnectionStatus, PolicyStatus, PoolCounts
from batchaccess.core.tally import PolicyTally
from batchaccess.kube.cache import CachedObject
from batchaccess.kube.packed import PackedObject
from batchaccess.ports import Catalogue, InvalidObject, StoredStatus
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.sagabook import SagaRegister
from batchaccess.sweep.summary import SweepSummary
from tests.support.build import NOW, connection, policy, wanted

WEU, NEU = connection("weu"), connection("neu")
SSH = policy("ssh", connections=["weu", "neu"])
COMPLIANT = PolicyTally(pools=PoolCounts(total=2, compliant=2))


def catalogue(*policies: AccessPolicy, connections: tuple[AccountConnection, ...] = (WEU, NEU)) -> Catalogue:
    return Catalogue(version=1, connections=connections, policies=policies, namespace_labels={})


def entry(value: Any, name: str, status: dict[str, Any] | None = None) -> CachedObject[Any]:  # noqa: ANN401 as it says
    stored = StoredStatus(name=name, namespace=None, uid="u", generation=1, status=PackedObject(status or {}))
    return CachedObject(uid="u", resource_version=1, value=value, stored=stored)


def summary(of: AccountConnection, seen: Catalogue, *, tallies: dict[str, PolicyTally] | None) -> SweepSummary:
    by_key = None if tallies is None else {each.key: tallies[each.key.name] for each in seen.policies}
    return SweepSummary(
        connection=of,
        catalogue=seen,
        reason=ConnectionReason.CONNECTED,
        message="The account's pools are observed.",
        counts=PoolCounts(total=2, compliant=2),
        tallies=by_key,
    )


def views(now: Catalogue, register: SagaRegister | None = None) -> StatusViews:
    return StatusViews(Acceptances(), lambda: assign(now.connections), register or SagaRegister())


def said(status: PolicyStatus | ConnectionStatus | None, type: ConditionType) -> tuple[str, str]:
    assert status is not None
    (found,) = [each for each in status.conditions if each.type is type]
    return found.status.value, found.reason


def enforced(made: StatusViews, subject: AccessPolicy, now: Catalogue) -> tuple[str, str]:
    return said(made.policy_status(entry(subject, "ssh"), now, now=NOW), ConditionType.ENFORCED)


NOT_OBSERVED = ("Unknown", "NotObserved")
ENFORCED = ("True", "Enforced")


def test_nothing_is_claimed_before_every_account_was_looked_at() -> None:
    now = catalogue(SSH)
    made = views(now)
    assert enforced(made, SSH, now) == NOT_OBSERVED
    made.swept(summary(WEU, now, tallies={"ssh": COMPLIANT}))
    assert enforced(made, SSH, now) == NOT_OBSERVED
    made.swept(summary(NEU, now, tallies={"ssh": COMPLIANT}))
    assert enforced(made, SSH, now) == ENFORCED


def test_the_pools_of_all_accounts_are_counted_together() -> None:
    now = catalogue(SSH)
    made = views(now)
    for each in (WEU, NEU):
        made.swept(summary(each, now, tallies={"ssh": COMPLIANT}))
    status = made.policy_status(entry(SSH, "ssh"), now, now=NOW)
    assert status.pools == PoolCounts(total=4, compliant=4)


def test_an_edited_policy_is_unobserved_until_it_was_looked_at_as_it_is_now() -> None:
    before = catalogue(SSH)
    made = views(before)
    for each in (WEU, NEU):
        made.swept(summary(each, before, tallies={"ssh": COMPLIANT}))
    edited = replace(SSH, generation=2)
    now = catalogue(edited)
    assert enforced(made, edited, now) == NOT_OBSERVED
    for each in (WEU, NEU):
        assert made.swept(summary(each, now, tallies={"ssh": COMPLIANT})) == [SSH.key]
    assert enforced(made, edited, now) == ENFORCED


def test_an_account_of_which_nothing_is_known_any_more_takes_the_claim_back() -> None:
    now = catalogue(SSH)
    made = views(now)
    for each in (WEU, NEU):
        made.swept(summary(each, now, tallies={"ssh": COMPLIANT}))
    assert made.swept(summary(NEU, now, tallies=None)) == [SSH.key]
    assert enforced(made, SSH, now) == NOT_OBSERVED


def test_an_account_that_cannot_be_observed_is_named_and_hides_no_other() -> None:
    now = catalogue(SSH)
    made = views(now)
    made.swept(summary(WEU, now, tallies={"ssh": COMPLIANT}))
    refused = replace(summary(NEU, now, tallies=None), reason=ConnectionReason.AUTHENTICATION_FAILED)
    assert made.swept(refused) == [SSH.key]
    status = made.policy_status(entry(SSH, "ssh"), now, now=NOW)
    assert said(status, ConditionType.ENFORCED) == NOT_OBSERVED
    assert said(status, ConditionType.READY) == NOT_OBSERVED
    assert "neu (AuthenticationFailed)" in next(each.message for each in status.conditions if each.type == "Enforced")
    assert status.pools == PoolCounts(total=2, compliant=2)


def test_a_policy_made_while_no_account_can_be_observed_hears_why() -> None:
    asked = replace(SSH, requested_at="t2")
    before, now = catalogue(), catalogue(asked)
    made = views(now)
    for seen, concerned in ((before, []), (now, [SSH.key])):
        for each in (WEU, NEU):
            assert made.swept(summary(each, seen, tallies=None)) == concerned
    status = made.policy_status(entry(asked, "ssh"), now, now=NOW)
    assert said(status, ConditionType.ENFORCED) == NOT_OBSERVED
    assert status.pools is None
    assert status.last_handled_requested_at == "t2"


def test_a_sweep_that_tells_nothing_new_concerns_no_policy() -> None:
    now = catalogue(SSH)
    made = views(now)
    assert made.swept(summary(WEU, now, tallies={"ssh": COMPLIANT})) == [SSH.key]
    assert made.swept(summary(WEU, now, tallies={"ssh": COMPLIANT})) == []
    assert made.forget("weu") == [SSH.key]
    assert made.forget("weu") == []


def test_a_duplicate_connection_is_not_waited_for() -> None:
    copy = replace(connection("copy"), endpoint=WEU.endpoint, created=NOW)
    subject = policy("ssh", connections=["weu", "copy"])
    now = catalogue(subject, connections=(WEU, copy))
    made = views(now)
    made.swept(summary(WEU, now, tallies={"ssh": COMPLIANT}))
    assert enforced(made, subject, now) == ENFORCED


def test_a_requested_sweep_is_echoed_once_every_account_was_swept() -> None:
    asked = replace(SSH, requested_at="t2")
    now = catalogue(asked)
    made = views(now)
    stored = entry(asked, "ssh", {"lastHandledRequestedAt": "t1"})
    made.swept(summary(WEU, now, tallies={"ssh": COMPLIANT}))
    assert made.policy_status(stored, now, now=NOW).last_handled_requested_at == "t1"
    made.swept(summary(NEU, now, tallies={"ssh": COMPLIANT}))
    assert made.policy_status(stored, now, now=NOW).last_handled_requested_at == "t2"


@pytest.mark.parametrize(
    ("subject", "connections", "reason"),
    [
        pytest.param(
            policy("ssh", connections=["closed"]), (connection("closed", grants=[]),), "NotPermitted", id="ungranted"
        ),
        pytest.param(policy("ssh", connections=["nowhere"]), (), "TargetNotFound", id="without a target"),
        pytest.param(
            policy("ssh", wanted(allow_from=["*"]), connections=["guarded"]),
            (connection("guarded", forbid=[22]),),
            "GuardrailViolation",
            id="against a guardrail",
        ),
        pytest.param(
            InvalidObject(uid="u", generation=1, problems=(("spec.priority", "is too high"),)),
            (),
            "Invalid",
            id="invalid",
        ),
    ],
)
def test_a_request_that_no_sweep_could_answer_is_answered_at_once(
    subject: AccessPolicy | InvalidObject, connections: tuple[AccountConnection, ...], reason: str
) -> None:
    asked = replace(subject, requested_at="t2")
    policies = (asked,) if isinstance(asked, AccessPolicy) else ()
    now = catalogue(*policies, connections=connections)
    status = views(now).policy_status(entry(asked, "ssh", {"lastHandledRequestedAt": "t1"}), now, now=NOW)
    assert said(status, ConditionType.ACCEPTED) == ("False", reason)
    assert status.last_handled_requested_at == "t2"


def test_a_policy_that_targets_nothing_says_so_without_any_sweep() -> None:
    lost = policy("lost", connections=["nowhere"])
    now = catalogue(lost)
    status = views(now).policy_status(entry(lost, "lost"), now, now=NOW)
    assert said(status, ConditionType.ACCEPTED) == ("False", "TargetNotFound")


def test_an_invalid_policy_names_the_field() -> None:
    wrong = InvalidObject(uid="u", generation=3, problems=(("spec.priority", "is too high"),))
    status = views(catalogue()).policy_status(entry(wrong, "wrong"), catalogue(), now=NOW)
    assert said(status, ConditionType.ACCEPTED) == ("False", "Invalid")
    assert "spec.priority: is too high" in str(render_status(status))
    assert status.observed_generation == 3


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        pytest.param(WEU, None, id="one that will sweep says nothing yet"),
        pytest.param(
            replace(connection("copy"), endpoint=WEU.endpoint, created=NOW),
            ("False", "DuplicateEndpoint"),
            id="a duplicate",
        ),
        pytest.param(
            InvalidObject(uid="u", generation=1, problems=(("spec.endpoint", "is no URL"),)),
            ("False", "Invalid"),
            id="an invalid one",
        ),
    ],
)
def test_a_connection_that_does_not_sweep(subject: Any, expected: tuple[str, str] | None) -> None:  # noqa: ANN401
    declared = tuple({each.name: each for each in (WEU, subject) if isinstance(each, AccountConnection)}.values())
    now = catalogue(connections=declared)
    status = views(now).connection_status(entry(subject, "subject"), now=NOW)
    assert (None if status is None else said(status, ConditionType.READY)) == expected


def test_a_swept_connection_says_what_the_sweep_found_and_since_when() -> None:
    now = catalogue()
    made = views(now)
    made.swept(summary(WEU, now, tallies={}))
    status = made.connection_status(entry(WEU, "weu"), now=NOW)
    assert said(status, ConditionType.READY) == ("True", "Connected")
    assert status is not None
    assert status.pools == PoolCounts(total=2, compliant=2)
    (condition,) = status.conditions
    assert isinstance(condition, Condition)
    assert condition.last_transition_time == NOW


def test_a_successor_of_the_same_name_is_not_told_what_its_predecessor_found() -> None:
    now = catalogue()
    made = views(now)
    made.swept(summary(WEU, now, tallies={}))
    assert made.connection_status(entry(replace(WEU, uid="another"), "weu"), now=NOW) is None


def message_of(status: PolicyStatus | ConnectionStatus | None, type: ConditionType) -> str:
    assert status is not None
    return next(each.message for each in status.conditions if each.type is type)


def draining(pool: str, by: AccessPolicy = SSH) -> SagaRegister:
    """A register in which one pool of `weu` is drained for a policy."""
    register = SagaRegister()
    register.tell("weu", {pool: PolicyVersion(key=by.key, uid=by.uid, generation=by.generation)})
    return register


def test_a_policy_being_deleted_names_the_drained_pools_at_once_and_until_they_are_restored() -> None:
    before = catalogue(SSH)
    register = draining("weu.busy")
    made = views(before, register)
    for each in (WEU, NEU):
        made.swept(summary(each, before, tallies={"ssh": COMPLIANT}))
    going = replace(SSH, deleting=True, generation=2)
    now = catalogue(going)
    status = made.policy_status(entry(going, "ssh"), now, now=NOW)
    assert said(status, ConditionType.READY) == ("False", "Deleting")
    assert said(status, ConditionType.RECONCILING) == ("True", "Deleting")
    assert message_of(status, ConditionType.READY) == "Being deleted; the scale of weu.busy is brought back first."
    register.tell("weu", {})
    status = made.policy_status(entry(going, "ssh"), now, now=NOW)
    assert message_of(status, ConditionType.READY) == "Being deleted; nothing is corrected any more."


def test_an_invalid_policy_being_deleted_names_the_drained_pools_too() -> None:
    wrong = InvalidObject(uid="u", generation=3, problems=(("spec.priority", "is too high"),))
    stored = entry(wrong, "ssh")
    going = replace(stored, stored=replace(stored.stored, namespace=SSH.key.namespace, deleting=True))
    status = views(catalogue(), draining("weu.busy")).policy_status(going, catalogue(), now=NOW)
    assert said(status, ConditionType.READY) == ("False", "Deleting")
    assert "weu.busy" in message_of(status, ConditionType.READY)


def test_a_connection_being_deleted_says_so_at_once_and_names_the_drained_pools() -> None:
    now = catalogue()
    made = views(now, draining("weu.busy"))
    made.swept(summary(WEU, now, tallies={}))
    status = made.connection_status(entry(replace(WEU, deleting=True), "weu"), now=NOW)
    assert said(status, ConditionType.READY) == ("False", "Deleting")
    assert message_of(status, ConditionType.READY) == "Being deleted; the scale of weu.busy is brought back first."


def test_a_connection_that_the_operator_is_told_to_leave_says_so_until_a_sweep_goes_on() -> None:
    now = catalogue(SSH)
    made = views(now, draining("weu.busy"))
    for each in (WEU, NEU):
        made.swept(summary(each, now, tallies={"ssh": COMPLIANT}))
    leaving = summary(replace(WEU, deleting=True), now, tallies={"ssh": COMPLIANT})
    assert made.swept(leaving) == [SSH.key], "its policies say so too"
    status = made.connection_status(entry(WEU, "weu"), now=NOW)
    assert said(status, ConditionType.READY) == ("False", "Leaving")
    assert "the scale of weu.busy is brought back" in message_of(status, ConditionType.READY)
    policy_ = made.policy_status(entry(SSH, "ssh"), now, now=NOW)
    assert said(policy_, ConditionType.ENFORCED) == ENFORCED
    assert message_of(policy_, ConditionType.ENFORCED).endswith(
        "Nothing is begun on connections that are being deleted or left: weu."
    )
    assert made.swept(leaving) == []
    assert made.swept(summary(WEU, now, tallies={"ssh": COMPLIANT})) == [SSH.key]
    assert said(made.connection_status(entry(WEU, "weu"), now=NOW), ConditionType.READY) == ("True", "Connected")


def test_whoever_listens_hears_where_sagas_were_opened_or_ended() -> None:
    register, heard = SagaRegister(), list[tuple[str, list[str]]]()
    register.subscribe(lambda name, policies: heard.append((name, [str(key) for key in policies])))
    version = PolicyVersion(key=SSH.key, uid=SSH.uid, generation=1)
    for told in ({}, {"weu.busy": version}, {"weu.busy": version}, {}):
        register.tell("weu", told)
    register.tell("weu", {"weu.busy": version})
    register.forget("weu")
    assert heard == [("weu", ["render/ssh"])] * 4
