"""What only shows when objects are seen together: claims to the same pools, and refusals by connections."""

import pytest

from tests.cli.test_validate import policy_text, validated

CONNECTION = """\
---
apiVersion: batchaccess.dev/v1alpha1
kind: BatchAccountConnection
metadata: {name: prod, labels: {env: prod}}
spec:
  endpoint: https://prodbatch.westeurope.batch.azure.com
  auth: {type: WorkloadIdentity}
  grants: [{namespaces: {matchLabels: {team: render}}, pools: ["render-*"]}]
  guardrails: {forbidInternetPorts: [22]}
---
apiVersion: v1
kind: Namespace
metadata: {name: render, labels: {team: render}}
"""


@pytest.mark.parametrize(
    ("one", "other", "weight", "message"),
    [
        pytest.param(policy_text(ids="a*"), policy_text("b", ids="b*"), None, "", id="apart"),
        pytest.param(
            policy_text(ids="a*"),
            policy_text("b", ids="*b"),
            "Warning",
            "such as 'ab'; both have priority 0",
            id="equal",
        ),
        pytest.param(
            policy_text(ids="a*"),
            policy_text("b", ids="*b", priority=5),
            "Note",
            "that one governs them, entirely, with priority 5 over 0",
            id="one is meant to win",
        ),
        pytest.param(
            policy_text(ids="a*"),
            policy_text("b", ids="*").replace("names: [prod]", "names: [dev]"),
            None,
            "",
            id="other accounts",
        ),
        pytest.param(
            policy_text(ids="a*").replace("names: [prod]", "matchLabels: {env: prod}"),
            policy_text("b", ids="*").replace("names: [prod]", "matchLabels: {tier: one}"),
            "Warning",
            "connections with both their labels",
            id="labels that may go together",
        ),
        pytest.param(
            policy_text(ids="render-a*") + CONNECTION,
            policy_text("b", ids="*b").replace("names: [prod]", "matchLabels: {env: prod}"),
            "Warning",
            "pools of connection prod that render/b (stdin:29) claims too, such as 'render-ab'",
            id="name and label meet in a known connection",
        ),
        pytest.param(
            policy_text(ids="a*") + CONNECTION,
            policy_text("b", ids="*"),
            None,
            "",
            id="grants keep them from meeting",
        ),
    ],
)
def test_policies_that_claim_the_same_pools(one: str, other: str, weight: str | None, message: str) -> None:
    status, mistakes = validated(one + "---\n" + other)
    assert status == 0
    found = [each for each in mistakes if each["check"] == "SamePools"]
    assert [each["weight"] for each in found] == ([] if weight is None else [weight])
    assert all(message in each["message"] for each in found)


def test_a_connection_of_the_same_files_may_refuse() -> None:
    status, mistakes = validated(policy_text(sources='"*"') + "  mode: Enforce\n" + CONNECTION)
    assert status == 1
    assert [each["check"] for each in mistakes] == ["NotAccepted"]
    assert "mode Enforce" in mistakes[0]["message"]
    status, mistakes = validated(policy_text(sources='"*"') + CONNECTION)
    assert (status, [each["field"] for each in mistakes]) == (1, ["spec.access.endpoints"])
    assert "GuardrailViolation" in mistakes[0]["message"]


def test_of_many_policies_for_the_same_pools_the_first_few_are_named() -> None:
    _, mistakes = validated("---\n".join(policy_text(f"p{number}", ids="*") for number in range(9)))
    told = [each["object"] for each in mistakes if each["check"] == "SamePools"]
    assert told.count("BatchPoolAccessPolicy render/p8") == 5
    assert told.count("BatchPoolAccessPolicy render/p1") == 1
    assert "BatchPoolAccessPolicy render/p0" not in told


@pytest.mark.parametrize(
    ("one", "other"),
    [("ab", "a*"), ("a*", "ab"), ("a?c", "*c"), ("*", "A-b"), ("x*y", "xz*"), ("AB", "ab")],
)
def test_globs_that_begin_differently_still_meet(one: str, other: str) -> None:
    _, mistakes = validated(policy_text("one", ids=one) + "---\n" + policy_text("other", ids=other))
    assert [each["check"] for each in mistakes] == ["SamePools"]
