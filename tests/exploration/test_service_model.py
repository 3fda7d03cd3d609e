"""Holds the model of the service to the emulator, which is held to recorded traffic: same answers, same pool after."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchaccess.azurebatch.classify import classify
from batchaccess.core.model import MetadataItem
from batchaccess.core.reasons import ErrorKind
from batchaccess.core.saga.durations import same_duration
from batchemulator.assumptions import Assumptions as EmulatorAssumptions
from tests.batchemulator.driver import Answer, Driver
from tests.exploration import servicemodel as model
from tests.exploration.party import NETWORKS
from tests.exploration.servicemodel import FRESH, NATURAL, Assumptions, Pool, Refused
from tests.support.build import as_returned

if TYPE_CHECKING:
    from collections.abc import Callable

FORMULAS = {name: f"$TargetDedicatedNodes = {count};" for name, count in NATURAL.items()}
ITEM = MetadataItem(name="team", value="render")
OPERATIONS = (
    "resize to 0",
    "resize to 2",
    "resize to 3",
    "stop the resize",
    "enable F1",
    "enable F2",
    "disable autoscale",
    "patch the network",
    "patch the metadata",
    "clear the metadata",
    "let time pass",
)
SWITCHES: dict[str, tuple[str, Assumptions]] = {
    "as documented": ("", Assumptions()),
    "an empty list is ignored": ("empty_list=ignored", Assumptions(empty_list_ignored=True)),
    "a PATCH of a busy pool is accepted": (
        "non_empty_patch=accepted-without-effect",
        Assumptions(non_empty_patch_accepted=True),
    ),
    "metadata is refused": ("metadata_limit=refused", Assumptions(metadata_refused=True)),
    "autoscale can be enabled while resizing": (
        "enable_autoscale_while_resizing=accepted",
        Assumptions(autoscale_refused_while_resizing=False),
    ),
    "an evaluation moves the eTag": ("evaluation_etag=moved", Assumptions(evaluation_moves_etag=True)),
    "a resizing pool counts as empty": ("emptiness=no-nodes", Assumptions(emptiness_ignores_resizing=True)),
}


def emulator(setting: str) -> Driver:
    assumptions = EmulatorAssumptions()
    driver = Driver(assumptions=assumptions.with_setting(setting) if setting else assumptions)
    driver.seed(
        {
            "id": "p",
            "targetDedicatedNodes": 2,
            "currentDedicatedNodes": 2,
            "resizeTimeout": "PT20M",
            "networkConfiguration": as_returned(NETWORKS["bad"]),
        }
    )
    return driver


def ask_emulator(driver: Driver, operation: str) -> Answer | None:
    resize = {"targetDedicatedNodes": int(operation[-1]) if operation[-1].isdigit() else 0, "resizeTimeout": "PT25M"}
    autoscale = {"autoScaleFormula": FORMULAS.get(operation[-2:]), "autoScaleEvaluationInterval": "PT5M"}
    match operation.split(maxsplit=1)[0]:
        case "resize":
            return driver.post("/pools/p/resize", resize)
        case "stop":
            return driver.post("/pools/p/stopresize")
        case "enable":
            return driver.post("/pools/p/enableautoscale", autoscale)
        case "disable":
            return driver.post("/pools/p/disableautoscale")
        case "patch" | "clear":
            return driver.patch("/pools/p", BODIES[operation])
        case _:
            pass
    driver.advance(700)
    return None


BODIES: dict[str, dict[str, Any]] = {
    "patch the network": {"networkConfiguration": as_returned(NETWORKS["good"])},
    "patch the metadata": {"metadata": [{"name": ITEM.name, "value": ITEM.value}]},
    "clear the metadata": {"metadata": []},
}


def ask_model(pool: Pool, operation: str, assumed: Assumptions) -> Pool:
    asked: dict[str, Callable[[], Pool]] = {
        "resize": lambda: model.resize(pool, target=int(operation[-1]), timeout="PT25M"),
        "stop": lambda: model.stop_resize(pool),
        "enable": lambda: model.enable_autoscale(pool, operation[-2:], assumed),
        "disable": lambda: model.disable_autoscale(pool),
        "patch": lambda: (
            model.patch_network(pool, "good", assumed)
            if operation.endswith("network")
            else model.patch_metadata(pool, (ITEM,), assumed)
        ),
        "clear": lambda: model.patch_metadata(pool, (), assumed),
        "let": lambda: settled(pool, assumed),
    }
    return asked[operation.split(maxsplit=1)[0]]()


def settled(pool: Pool, assumed: Assumptions) -> Pool:
    """After a long while: what usually comes, until nothing does."""
    while (following := next(model.progress(pool, assumed), None)) is not None:
        pool = following[1]
    return pool


def shown(document: dict[str, Any]) -> tuple[object, ...]:
    formulas = {text: name for name, text in FORMULAS.items()}
    good = document["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"][0]
    access = good["networkSecurityGroupRules"][0]["access"]
    return (
        "good" if access == "deny" else "bad",
        formulas.get(document.get("autoScaleFormula", "")),
        document["targetDedicatedNodes"],
        document["currentDedicatedNodes"],
        document["allocationState"],
        tuple(MetadataItem(name=each["name"], value=each["value"]) for each in document.get("metadata", [])),
    )


def told(pool: Pool) -> tuple[object, ...]:
    return (pool.network, pool.formula, pool.target, pool.current, pool.allocation, pool.metadata)


@pytest.mark.parametrize(("setting", "assumed"), SWITCHES.values(), ids=SWITCHES.keys())
@settings(max_examples=40, deadline=None)
@given(operations=st.lists(st.sampled_from(OPERATIONS), max_size=12))
def test_the_model_answers_as_the_emulator_does(setting: str, assumed: Assumptions, operations: list[str]) -> None:
    driver, pool = emulator(setting), Pool()
    for operation in operations:
        if operation.startswith("stop") and pool.target < pool.current:
            continue  # the emulator's idle nodes leave all the same, which the model has as an unknown of its own
        before = driver.pool("p")["eTag"]
        answer = ask_emulator(driver, operation)
        if answer is not None and answer.code == "TooManyEnableAutoScaleRequests":
            continue
        pool, kind = expected(pool._replace(etag=0), operation, assumed)
        told_kind = None if answer is None or answer.status < 400 else classify(answer.status, answer.code)
        assert told_kind is kind, (operation, answer)
        after = driver.pool("p")
        assert shown(after) == told(pool), operation
        assert (after["eTag"] != before) is (pool.etag == FRESH), operation
        if pool.formula is None:
            assert same_duration(after["resizeTimeout"], pool.timeout), operation


def expected(pool: Pool, operation: str, assumed: Assumptions) -> tuple[Pool, ErrorKind | None]:
    try:
        return ask_model(pool, operation, assumed), None
    except Refused as refused:
        return pool, refused.kind
