from __future__ import annotations

import pytest

from kubeemulator.builtin import EVENTS, NAMESPACES
from kubeemulator.errors import ApiError
from kubeemulator.selectors import field_selector, label_selector

LABELLED = {"metadata": {"name": "p1", "labels": {"team": "render", "tier": "3"}}}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        pytest.param("team=render", True, id="equal"),
        pytest.param("team==render,tier", True, id="both hold"),
        pytest.param("team=render,!tier", False, id="one does not hold"),
        pytest.param("team!=other", True, id="not equal"),
        pytest.param("absent!=other", True, id="an absent label is not equal"),
        pytest.param("team in (a, render)", True, id="one of"),
        pytest.param("team notin (a,render)", False, id="none of"),
        pytest.param("tier>2,tier<4", True, id="between"),
        pytest.param("team>2", False, id="no number is greater than none"),
        pytest.param("team=", False, id="an empty value"),
    ],
)
def test_labels_select(selector: str, *, selected: bool) -> None:
    matcher = label_selector(selector)
    assert matcher is not None
    assert matcher(LABELLED) is selected


@pytest.mark.parametrize("selector", ["=x", "a in b", "a=(", "a b", "team in (render"])
def test_a_label_selector_that_cannot_be_read_is_refused(selector: str) -> None:
    with pytest.raises(ApiError) as caught:
        label_selector(selector)
    assert caught.value.code == 400


def test_events_are_selected_by_what_they_are_about() -> None:
    matcher = field_selector("involvedObject.name=p1,type!=Warning", EVENTS)
    assert matcher is not None
    assert matcher({"metadata": {"name": "e"}, "involvedObject": {"name": "p1"}, "type": "Normal"})
    assert not matcher({"metadata": {"name": "e"}, "involvedObject": {"name": "p1"}, "type": "Warning"})


def test_a_cluster_wide_kind_has_no_namespace_to_select_by() -> None:
    with pytest.raises(ApiError, match=r"field label not supported: metadata\.namespace"):
        field_selector("metadata.namespace=x", NAMESPACES)
