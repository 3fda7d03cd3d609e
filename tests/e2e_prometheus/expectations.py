"""Which alerts belong to the demo's story and what each is caused by; which do not, and why."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One alert with its labels beside the severity: what it names is its cause.

    `certain` is False for what depends on how sweeps and scrapes fall: it may fire, but need not.
    """

    alert: str
    labels: dict[str, str]
    cause: str
    certain: bool = True

    @property
    def identity(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What tells it apart from every other alert."""
        return self.alert, frozenset(self.labels.items())


def _exposed(connection: str, pool: str, policy: str, cause: str) -> Expected:
    governed = {"policy": policy} if policy else {}
    labels = {"connection": connection, "pool": pool, **governed}
    return Expected(alert="PoolInternetExposed", labels=labels, cause=cause)


def _not_swept_yet(connection: str) -> Expected:
    cause = "until its first sweep: waiting is shortened, sweeping is not"
    return Expected(alert="SweepStale", labels={"connection": connection}, cause=cause, certain=False)


STORY_ALERTS: Final = (
    Expected(alert="OperatorAbsent", labels={}, cause="Prometheus is there before the operator"),
    Expected(
        alert="AzureAuthFailing", labels={"connection": "archive"}, cause="its Secret holds another account's key"
    ),
    _exposed("prod", "render-linux", "", "made by hand in the portal: an endpoint without rules"),
    _exposed("prod", "render-gpu", "", "the same, and busy"),
    _exposed("prod", "render-gpu", "render/render-login", "the same, governed, and waiting for being empty"),
    _exposed("prod", "sim-mpi", "", "an old pool: SSH is mapped on every node, and a guardrail forbids it"),
    _exposed("prod", "render-farm", "render/farm-login", "opened while it works"),
    _exposed("dev", "playground", "security/no-internet-login", "an assertion forbids it"),
    _exposed("prod", "license-server", "security/license-clients", "everyone gets in where one office may"),
    _exposed("prod", "render-windows", "", "opened after the story; nobody governs it, a guardrail forbids it"),
    Expected(
        alert="ReachabilityUndetermined",
        labels={"connection": "prod"},
        cause="a service tag, rules without an end, and an old pool without nodes",
    ),
    Expected(
        alert="DriftUncorrected",
        labels={"connection": "prod", "policy": "render/render-login"},
        cause="render-gpu is not empty",
    ),
    Expected(
        alert="DriftUncorrected",
        labels={"connection": "prod", "policy": "render/farm-login"},
        cause="the tasks of render-farm are waited for, at the pace of the story for hours",
        certain=False,
    ),
    Expected(
        alert="PolicyNotAccepted",
        labels={"policy": "render/forbidden", "reason": "GuardrailViolation"},
        cause="it opens what the connection forbids",
    ),
    Expected(
        alert="PolicyConflict",
        labels={"policy": "render/close-ssh-again"},
        cause="an older policy of the same priority governs all of its pools",
    ),
    Expected(
        alert="SweepStale",
        labels={"connection": "dev"},
        cause="the account answers with errors for more than three periods",
    ),
    *map(_not_swept_yet, ("prod", "archive")),
)
"""Every alert that may fire while the story is told. What is certain to fire has to resolve as well."""

NOT_OF_THE_STORY: Final = {
    "AssertionViolated": "the one assertion is about the Internet, of which PoolInternetExposed tells",
    "AzureThrottled": "the account throttles nobody; it would take five minutes to be over",
    "BreakerOpen": "it takes ten drifted pools of one account",
    "ConnectionNotReady": "every connection of the demo can be used as declared",
    "CorrectionStalled": "the service refuses nothing that is asked of it",
    "DriftFlapping": "the check undoes corrections once only, the screen of the demo more often; it takes an hour",
    "LeaderAbsent": "one replica works without an election",
    "MassDrift": "it takes ten drifted pools of one account",
    "OperatorRestarting": "the operator never ends",
    "PausedTooLong": "nothing is suspended for three days",
    "RemediationFailing": "the one drain succeeds; a drain may last for five minutes before it fails",
    "RemediationStuck": "no step takes two hours",
    "RestorePending": "the scale comes back",
    "StatusWritesFailing": "the Kubernetes API takes every status",
    "WatchSilent": "the watches of the embedded Kubernetes API tell everything",
}
"""Alerts that promtool's unit tests in tests/monitoring show instead, with the reason."""

ALWAYS_ZERO: Final = {
    "correction: Breakers open A": "it takes ten drifted pools of one account",
    "correction: Cannot be corrected A": "the service refuses nothing that is asked of it",
    "correction: How corrections ended B": "what is in Kubernetes is not lost",
    "correction: Scale not brought back A": "the scale comes back",
    "operator: Throttling A": "the account throttles nobody",
}
"""Panels that show data, and of which zero is the news, with the reason."""
