from collections.abc import Collection

import pytest

from batchaccess.core.departing import deletion_message, departing_connection, leaving_message
from batchaccess.core.reasons import ConnectionReason

TO_STAY = (
    "If it is to stay, remove the annotation batchaccess.dev/leaving-since; a quarter of an hour after that was set it "
    "goes on by itself."
)
LEAVING = "The operator was told to leave by batchaccess uninstall: pools are observed, nothing is begun."

RESTORING: dict[str, tuple[Collection[str], str, str]] = {
    "nothing": ((), "Being deleted; nothing is corrected any more.", f"{LEAVING} {TO_STAY}"),
    "one pool": (
        ["prod.render-farm"],
        "Being deleted; the scale of prod.render-farm is brought back first.",
        f"{LEAVING} First the scale of prod.render-farm is brought back. {TO_STAY}",
    ),
    "two pools": (
        ["prod.b", "prod.a"],
        "Being deleted; the scale of prod.a, prod.b is brought back first.",
        f"{LEAVING} First the scale of prod.a, prod.b is brought back. {TO_STAY}",
    ),
    "more than are named": (
        [f"prod.{letter}" for letter in "fedcba"],
        "Being deleted; the scale of prod.a, prod.b, prod.c, prod.d, prod.e and others is brought back first.",
        f"{LEAVING} First the scale of prod.a, prod.b, prod.c, prod.d, prod.e and others is brought back. {TO_STAY}",
    ),
}


@pytest.mark.parametrize(("restoring", "deleted", "told_to_leave"), RESTORING.values(), ids=RESTORING.keys())
def test_who_goes_names_the_pools_that_are_restored_first(
    restoring: Collection[str], deleted: str, told_to_leave: str
) -> None:
    assert deletion_message(restoring) == deleted
    assert leaving_message(restoring) == told_to_leave


@pytest.mark.parametrize("before", [ConnectionReason.CONNECTED, ConnectionReason.SUSPENDED])
@pytest.mark.parametrize(("deleting", "reason"), [(True, ConnectionReason.DELETING), (False, ConnectionReason.LEAVING)])
def test_a_connection_that_works_says_that_it_goes(
    before: ConnectionReason, *, deleting: bool, reason: ConnectionReason
) -> None:
    found, message = departing_connection(before, "The account's pools are observed.", deleting=deleting, restoring=())
    assert found is reason
    assert message == (deletion_message(()) if deleting else leaving_message(()))


def test_a_connection_that_cannot_be_observed_goes_on_saying_why_as_that_keeps_the_scale_from_coming_back() -> None:
    found = departing_connection(
        ConnectionReason.UNREACHABLE, "The host does not answer.", deleting=True, restoring=["prod.busy"]
    )
    assert found == (
        ConnectionReason.UNREACHABLE,
        "Being deleted; the scale of prod.busy is brought back first. The host does not answer.",
    )
