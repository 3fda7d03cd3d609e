"""Every word of a status has words a person reads, and a tone that fits."""

import re
from collections.abc import Iterable
from enum import StrEnum

import pytest

from batchaccess.core import reasons
from batchaccess.core.zones import ZoneVerdict
from batchaccess.web.words import (
    Said,
    Tone,
    said_of_assertion,
    said_of_condition,
    said_of_drift,
    said_of_event,
    said_of_exposure,
    said_of_reach,
    spelled,
)

OF_CONDITIONS: tuple[tuple[str, type[StrEnum]], ...] = (
    ("Ready", reasons.ConnectionReason),
    ("Accepted", reasons.AcceptedReason),
    ("Enforced", reasons.EnforcedReason),
    ("Compliant", reasons.CompliantReason),
    ("Drifted", reasons.DriftClass),
    ("Exposed", reasons.ExposedReason),
    ("Remediating", reasons.RemediatingReason),
)


def every_said() -> Iterable[Said]:
    for kind, words in OF_CONDITIONS:
        for status in reasons.ConditionStatus:
            yield from (said_of_condition(kind, status, reason) for reason in words)
    yield from (said_of_reach(verdict) for verdict in ZoneVerdict)
    yield from (said_of_assertion(status) for status in reasons.ConditionStatus)


def test_every_state_is_shown_in_words() -> None:
    shown = {said.words for said in every_said()} | {said_of_event(reason) for reason in reasons.EventReason}
    assert not [words for words in shown if not words or re.search(r"[a-z][A-Z]", words)]


def test_exposures_and_drifts_all_have_words_of_their_own() -> None:
    for words, said in ((reasons.ExposedReason, said_of_exposure), (reasons.DriftClass, said_of_drift)):
        assert len({said(reason).words for reason in words}) == len(words)
        assert (
            not [reason for reason in words if said(reason).words == spelled(reason)] or words is reasons.ExposedReason
        )


@pytest.mark.parametrize(
    ("type", "status", "reason", "tone"),
    [
        pytest.param("Exposed", "True", "InternetReachable", Tone.DANGER, id="open to the Internet is a danger"),
        pytest.param("Exposed", "Unknown", "Undetermined", Tone.WARNING, id="what is not settled is a warning"),
        pytest.param("Exposed", "False", "None", Tone.GOOD, id="closed is good"),
        pytest.param("Exposed", "Unknown", "Unreadable", Tone.WARNING, id="what cannot be read is never good"),
        pytest.param("Drifted", "True", "Widening", Tone.DANGER, id="more open than declared is a danger"),
        pytest.param("Drifted", "False", "Neutral", Tone.QUIET, id="spelling is nothing"),
        pytest.param("Compliant", "True", "Compliant", Tone.GOOD, id="as declared is good"),
        pytest.param("Compliant", "False", "PoolNotEmpty", Tone.BUSY, id="waiting takes time"),
        pytest.param("Compliant", "False", "Rejected", Tone.DANGER, id="refused by the service needs somebody"),
        pytest.param("Compliant", "False", "AuditOnly", Tone.WARNING, id="drift that is only reported is a warning"),
        pytest.param("Compliant", "Unknown", "NotManaged", Tone.QUIET, id="nobody's pool is nobody's alarm"),
        pytest.param("Compliant", "Unknown", "Unreadable", Tone.WARNING, id="an unreadable pool is a warning"),
        pytest.param("Compliant", "False", "InventedTomorrow", Tone.DANGER, id="an unknown failure is a danger"),
        pytest.param("Enforced", "False", "AuditOnly", Tone.QUIET, id="an auditing policy does what it says"),
        pytest.param("Accepted", "False", "GuardrailViolation", Tone.DANGER, id="a refused policy needs somebody"),
        pytest.param("Ready", "False", "AuthenticationFailed", Tone.DANGER, id="a wrong key needs somebody"),
        pytest.param("Ready", "True", "Suspended", Tone.QUIET, id="suspended is as asked"),
        pytest.param("Stalled", "True", "Rejected", Tone.DANGER, id="stalled needs somebody"),
        pytest.param("Stalled", "False", "Enforced", Tone.QUIET, id="not stalled is nothing"),
        pytest.param("Reconciling", "True", "Pending", Tone.BUSY, id="reconciling takes time"),
        pytest.param("Remediating", "True", "Draining", Tone.BUSY, id="a drain takes time"),
        pytest.param("Remediating", "False", "Stalled", Tone.DANGER, id="a stalled correction needs somebody"),
        pytest.param(
            "Remediating", "True", "RestorePending", Tone.DANGER, id="a scale not brought back needs somebody"
        ),
        pytest.param("Compliant", "False", "OutsideWindow", Tone.BUSY, id="a window opens by itself"),
        pytest.param("Remediating", "False", "Waiting", Tone.BUSY, id="a waiting correction takes time"),
        pytest.param("Remediating", "False", "Idle", Tone.QUIET, id="nothing to correct is nothing"),
        pytest.param("InventedTomorrow", "Unknown", "Whatever", Tone.WARNING, id="an unknown condition is a warning"),
    ],
)
def test_a_condition_has_a_tone(type: str, status: str, reason: str, tone: Tone) -> None:
    assert said_of_condition(type, status, reason).tone is tone


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("PoolNotEmpty", "Pool not empty"),
        ("Compliant", "Compliant"),
        ("currentLowPriorityNodes", "current low priority nodes"),
        ("NoPublicIPAddresses", "No public IP addresses"),
        ("", ""),
    ],
)
def test_a_word_is_spelled_as_people_write(word: str, words: str) -> None:
    assert spelled(word) == words
