from collections.abc import Sequence

import pytest

from batchaccess.core.acceptance import accept, invalid
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Mode,
    Unlisted,
)
from batchaccess.core.model import Provisioning
from batchaccess.core.reasons import AcceptedReason
from tests.support.build import access, connection, grant, policy, wanted

OPEN_SSH = wanted("SSH", allow_from=["*"])
CLOSED_SSH = wanted("SSH", allow_from=["10.0.0.0/8"])
GUARDED = connection(forbid=[22, 3389])

ACCEPTED: dict[str, tuple[AccessPolicy, Sequence[AccountConnection], AcceptedReason, str]] = {
    "one connection accepts": (
        policy(),
        [connection()],
        AcceptedReason.ACCEPTED,
        "Accepted by prod-weu.",
    ),
    "no connection is there": (policy(), [], AcceptedReason.TARGET_NOT_FOUND, "matches spec.connections"),
    "no connection is named": (policy(), [connection("dev")], AcceptedReason.TARGET_NOT_FOUND, "spec.connections"),
    "the connection is being deleted, which is there until it is gone": (
        policy(),
        [connection(deleting=True)],
        AcceptedReason.ACCEPTED,
        "Accepted by prod-weu.",
    ),
    "nothing is granted": (
        policy(),
        [connection(grants=[])],
        AcceptedReason.NOT_PERMITTED,
        "prod-weu: No grant of the connection names namespace render.",
    ),
    "the grant covers less": (
        policy(priority=7),
        [connection(grants=[grant(modes=[Mode.AUDIT])])],
        AcceptedReason.NOT_PERMITTED,
        "covers priority 7, mode Enforce and strategy WhenEmpty together",
    ),
    "it opens a forbidden port to the Internet": (
        policy("p", OPEN_SSH),
        [GUARDED],
        AcceptedReason.GUARDRAIL_VIOLATION,
        "prod-weu: As declared, SSH (TCP/22) is reachable from the Internet, which the connection forbids.",
    ),
    "it may open a forbidden port to the Internet": (
        policy("p", wanted("SSH", "allow AzureCloud", "deny *")),
        [GUARDED],
        AcceptedReason.GUARDRAIL_VIOLATION,
        "SSH (TCP/22) may be reachable from the Internet",
    ),
    "verbatim rules without a final deny leave a forbidden port undetermined": (
        policy("p", wanted("SSH", "allow 10.0.0.0/8")),
        [GUARDED],
        AcceptedReason.GUARDRAIL_VIOLATION,
        "may be reachable",
    ),
    "it opens a forbidden port to private addresses only": (
        policy("p", CLOSED_SSH),
        [GUARDED],
        AcceptedReason.ACCEPTED,
        "Accepted",
    ),
    "it opens another port to the Internet": (
        policy("p", wanted("web", allow_from=["*"], port=443)),
        [GUARDED],
        AcceptedReason.ACCEPTED,
        "Accepted",
    ),
    "it keeps unlisted endpoints, whatever they are": (
        policy("p", declares=access(unlisted=Unlisted.KEEP)),
        [GUARDED],
        AcceptedReason.ACCEPTED,
        "Accepted",
    ),
    "it does without public addresses": (
        policy("p", declares=access(OPEN_SSH, provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES)),
        [GUARDED],
        AcceptedReason.ACCEPTED,
        "Accepted",
    ),
    "one of two connections is enough": (
        policy("p", OPEN_SSH, connections=["prod-weu", "dev"]),
        [GUARDED, connection("dev")],
        AcceptedReason.ACCEPTED,
        "Accepted by dev.",
    ),
    "a broken guardrail is told before a missing grant": (
        policy("p", OPEN_SSH, connections=["prod-weu", "dev"]),
        [GUARDED, connection("dev", grants=[])],
        AcceptedReason.GUARDRAIL_VIOLATION,
        "prod-weu: ",
    ),
}


@pytest.mark.parametrize(("asked", "connections", "reason", "text"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_policy_is_accepted_or_not(
    asked: AccessPolicy, connections: Sequence[AccountConnection], reason: AcceptedReason, text: str
) -> None:
    acceptance = accept(asked, connections, {})
    assert acceptance.reason is reason
    assert acceptance.accepted == (reason is AcceptedReason.ACCEPTED)
    assert text in acceptance.message


def test_each_connection_says_what_it_makes_of_a_policy() -> None:
    acceptance = accept(
        policy("p", OPEN_SSH, connections=["a", "b", "c", "d"]),
        [
            connection("d", grants=[]),
            connection("c", grants=[grant("x-*", "a-*"), grant("b-*")]),
            connection("b", forbid=[22]),
            connection("a"),
            connection("z"),
        ],
        {},
    )
    assert [(target.name, target.reason, target.accepted) for target in acceptance.targets] == [
        ("a", AcceptedReason.ACCEPTED, True),
        ("b", AcceptedReason.GUARDRAIL_VIOLATION, False),
        ("c", AcceptedReason.ACCEPTED, True),
        ("d", AcceptedReason.NOT_PERMITTED, False),
    ]
    assert acceptance.targets[0].message == "Accepted for all pools."
    assert acceptance.targets[2].message == "Accepted for pools matching a-*, b-*, x-*."
    assert [acceptance.accepts(name) for name in ("a", "b", "z")] == [True, False, False]


def test_the_pools_of_a_grant_that_does_not_cover_the_policy_are_out_of_reach() -> None:
    to = connection(grants=[grant("a-*"), grant("b-*", modes=[Mode.AUDIT])])
    assert accept(policy(), [to], {}).targets[0].message == "Accepted for pools matching a-*."


def test_an_invalid_policy_tells_all_its_problems() -> None:
    acceptance = invalid([("spec.priority", "is no number"), ("spec.mode", "is unknown")])
    assert (acceptance.accepted, acceptance.reason) == (False, AcceptedReason.INVALID)
    assert acceptance.message == "spec.priority: is no number; spec.mode: is unknown."
