"""What may not change once it is stored."""

from typing import Any

import pytest

from kubeemulator.admission import admit
from tests.parity.corpus import cases, overlay
from tests.parity.judges import definitions

CORPUS = {case.name: case.obj for case in cases()}
CONNECTION = CORPUS["connection: an endpoint and an identity type are enough"]
POOL_ACCESS = CORPUS["pool_access: connection and pool are enough"]


def _errors_of_update(stored: dict[str, Any], patch: dict[str, Any]) -> list[tuple[str, str]]:
    _, errors = admit(definitions()[stored["kind"]], overlay(stored, patch), old=stored)
    return [(error.field, error.message) for error in errors]


@pytest.mark.parametrize(
    ("stored", "patch", "field", "says"),
    [
        pytest.param(
            CONNECTION,
            {"spec": {"endpoint": "https://other.westeurope.batch.azure.com"}},
            "spec.endpoint",
            "endpoint is immutable; create another BatchAccountConnection",
            id="a connection does not move to another account",
        ),
        pytest.param(
            POOL_ACCESS,
            {"spec": {"poolId": "render-2"}},
            "spec",
            "spec is the identity of a pool and immutable",
            id="a pool access does not come to mean another pool",
        ),
    ],
)
def test_identity_is_immutable(stored: dict[str, Any], patch: dict[str, Any], field: str, says: str) -> None:
    ((where, message),) = _errors_of_update(stored, patch)

    assert where == field
    assert says in message


def test_everything_else_of_a_connection_may_change() -> None:
    patch = {"spec": {"auth": {"type": "ManagedIdentity"}, "syncPeriodSeconds": 30, "suspend": True}}

    assert _errors_of_update(CONNECTION, patch) == []
