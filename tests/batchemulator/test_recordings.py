"""The emulator against recorded traffic: same status, headers, keys, types, casing, and values that do not vary.

Where it differs is written down here; the list must neither grow nor shrink unnoticed.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.batchemulator.driver import Driver
from tests.batchemulator.recorded import RECORDINGS, differences, load, names
from tests.batchemulator.replay import SERVED, replay

NOT_REPLAYED = {
    "dp_2020-03-01.11.0_pool_create_natpool_no_rules": "the request's body was not recorded",
    "err_400_InvalidPropertyValue_imageReference": "images are not checked: any reference is taken",
    "err_400_InvalidPropertyValue_subnetId_2024-07-01.20.0": "accounts have no subscription",
    "err_400_InvalidPropertyValue_subnetId_other_subscription": "accounts have no subscription",
    "err_400_InvalidPropertyValue_subnetId_privatelink_policies": "no request was recorded",
    "err_400_PoolVersionEqualsUpgradeVersion": "upgradeos is gone since 2018",
    "err_403_Forbidden_subnetId_not_enabled": "the request's body was not recorded; see test_limits",
    "err_409_OperationNotValidOnNode": "reimage is not emulated",
    "err_409_PATCH_InvalidApplicationPackageReferences": "packages are not checked: any reference is taken",
    "err_429_TooManyRequests": "no request was recorded; see test_faults",
    "err_AuthenticationFailed_sharedkey_not_allowed": "no request was recorded",
}

DIFFERENCES: dict[str, list[str]] = {
    "dp_2020-03-01.11.0_nodes_list_endpoint_configuration": [
        "/value[0]/certificateReferences lost",
        "/value[0]/nodeAgentInfo/version: 1.7.14 -> 1.12.39",
        "/value[0]/runningTaskSlotsCount added",
    ],
    "dp_2020-03-01.11.0_nodes_list_natpool_plus_implicit_sshrule": ["/value[0]/runningTaskSlotsCount added"],
    "dp_2020-03-01.11.0_pool_get_natpool_udp": ["/currentNodeCommunicationMode added", "/taskSlotsPerNode added"],
    "dp_2022-01-01.15.0_nodes_list_implicit_sshrule_22": [
        "/value[0]/certificateReferences lost",
        "/value[0]/nodeAgentInfo/version: 1.9.29 -> 1.12.39",
        "/value[0]/recentTasks lost",
        "/value[0]/totalTasksRun: 1 -> 0",
        "/value[0]/totalTasksSucceeded: 1 -> 0",
        "/value[0]/virtualMachineInfo/imageReference/exactVersion: 18.04.202209020 -> latest",
    ],
    "dp_2022-01-01.15.0_nodes_list_implicit_sshrule_3389": [
        "/value[0]/certificateReferences lost",
        "/value[0]/nodeAgentInfo/version: 1.9.29 -> 1.12.39",
        "/value[0]/recentTasks lost",
        "/value[0]/totalTasksRun: 1 -> 0",
        "/value[0]/totalTasksSucceeded: 1 -> 0",
        "/value[0]/virtualMachineInfo/imageReference/exactVersion: 9600.20520.220807 -> latest",
    ],
    "dp_2022-01-01.15.0_pool_get_no_network_configuration": ["/currentNodeCommunicationMode added"],
    "dp_2024-07-01.20.0_pool_create_subnet_two_natpools": ["header location: added"],
}
"""Recordings older than the oldest served api-version are replayed as 2024-02-01.19.0, which explains theirs."""

needs_recordings = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings folder is absent")
REPLAYED = [name for name in names("dp_", "err_") if name not in NOT_REPLAYED and not name.startswith("err_arm_")]


@needs_recordings
@pytest.mark.parametrize("name", REPLAYED)
def test_answer_has_the_recorded_shape(name: str) -> None:
    recording = load(name)
    answer = replay(name, recording)
    found = differences(recording["response"], answer.status, answer.headers, answer.document)
    assert found == DIFFERENCES.get(name, [])


SEQUENCE = [name for name in REPLAYED if "_patch_" in name and name.split("_patch_")[1][0].isdigit()]


@needs_recordings
def test_the_recorded_sequence_of_a_network_patch_plays_on_one_emulator() -> None:
    driver = Driver()
    etags: list[str] = []
    assert len(SEQUENCE) == 5
    for name in SEQUENCE:
        recording = load(name)
        request = recording["request"]
        answer = driver.call(request["method"], urlsplit(request["url"]).path, request["body"])
        assert differences(recording["response"], answer.status, answer.headers, answer.document) == [], name
        etags.append(answer.headers["etag"])
        driver.advance(0 if "_0_" in name else 1.4)
    created, resizing, steady, patched, shown = etags
    assert created == resizing == steady != patched == shown


@needs_recordings
def test_every_exception_names_a_recording_there_is() -> None:
    assert set(DIFFERENCES) <= set(REPLAYED)
    assert set(NOT_REPLAYED) <= set(names("err_", "dp_"))


@needs_recordings
def test_no_recording_of_a_served_version_differs_but_in_one_header() -> None:
    differing = [name for name in DIFFERENCES if load(name)["request"]["apiVersion"] in SERVED]
    assert differing == ["dp_2024-07-01.20.0_pool_create_subnet_two_natpools"]


def test_recordings_are_found_or_the_reason_is_seen() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings folder is absent: no answer was compared with recorded traffic")
    assert len(REPLAYED) >= 60
