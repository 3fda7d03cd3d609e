from __future__ import annotations

import asyncio
import time

import pytest

from tests.contract.kubernetes.apiclient import ApiClient, WatchRefusedError
from tests.contract.kubernetes.capabilities import Capability
from tests.contract.kubernetes.subject import Json, Subject, fresh_name


def _told(events: list[Json]) -> list[tuple[str, int]]:
    return [(event["type"], event["object"]["spec"]["target"]) for event in events if event["type"] != "BOOKMARK"]


@pytest.fixture
async def version(api: ApiClient, subject: Subject) -> str:
    """The version of the list before the test changes anything."""
    return str((await api.get(subject.policies)).body["metadata"]["resourceVersion"])


async def test_a_watch_tells_what_comes_after_its_version(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy(target=1)
    await api.post(subject.policies, policy)
    version = (await api.get(subject.policies)).version
    name = f"metadata.name={policy['metadata']['name']}"
    watching = asyncio.ensure_future(
        api.watch(subject.policies, lambda events: len(events) == 1, resourceVersion=version, fieldSelector=name)
    )
    changed = await api.merge(subject.path(policy), {"spec": {"target": 2}})
    events = await watching
    assert _told(events) == [("MODIFIED", 2)]
    assert events[0]["object"]["metadata"]["resourceVersion"] == changed.version


async def test_a_resumed_watch_replays_what_it_missed_in_order(api: ApiClient, subject: Subject, version: str) -> None:
    policy = subject.policy(labels={"replay": (mark := fresh_name())}, target=1)
    await api.post(subject.policies, policy)
    for target in (2, 3):
        await api.merge(subject.path(policy), {"spec": {"target": target}})
    await api.delete(subject.path(policy))
    events = await api.watch(
        subject.policies, lambda seen: len(seen) == 4, resourceVersion=version, labelSelector=f"replay={mark}"
    )
    assert _told(events) == [("ADDED", 1), ("MODIFIED", 2), ("MODIFIED", 3), ("DELETED", 3)]


async def test_a_watch_from_a_forgotten_version_is_told_to_list_again(api: ApiClient, subject: Subject) -> None:
    try:
        events = await api.watch(subject.policies, bool, resourceVersion="1")
    except WatchRefusedError as error:
        code = error.code
    else:
        assert events[0]["type"] == "ERROR"
        code = events[0]["object"]["code"]
    assert code == 410


async def test_an_object_that_leaves_the_selection_is_told_as_deleted(
    api: ApiClient, subject: Subject, version: str
) -> None:
    policy = subject.policy(labels={"mark": (mark := fresh_name())}, target=1)
    await api.post(subject.policies, policy)
    await api.merge(subject.path(policy), {"metadata": {"labels": {"mark": None}}})
    await api.merge(subject.path(policy), {"metadata": {"labels": {"mark": mark}}, "spec": {"target": 2}})
    events = await api.watch(
        subject.policies, lambda seen: len(seen) == 3, resourceVersion=version, labelSelector=f"mark={mark}"
    )
    assert _told(events) == [("ADDED", 1), ("DELETED", 1), ("ADDED", 2)]


async def test_a_watch_can_follow_one_name(api: ApiClient, subject: Subject, version: str) -> None:
    wanted, other = subject.policy(target=1), subject.policy(target=2)
    for policy in (other, wanted, other):
        await api.post(subject.policies, policy)
    events = await api.watch(
        subject.policies,
        bool,
        resourceVersion=version,
        fieldSelector=f"metadata.name={wanted['metadata']['name']}",
    )
    assert [event["object"]["metadata"]["name"] for event in events] == [wanted["metadata"]["name"]]


async def test_a_watch_ends_after_its_timeout(api: ApiClient, subject: Subject, version: str) -> None:
    started = time.monotonic()
    name = f"metadata.name={fresh_name()}"
    events = await api.watch(subject.policies, bool, seconds=1, resourceVersion=version, fieldSelector=name)
    assert events == []
    assert 0.8 <= time.monotonic() - started < 5


async def test_a_bookmark_comes_before_the_end(api: ApiClient, subject: Subject, version: str) -> None:
    # A real server sends one two seconds before the end, if there was an event since the watch began.
    watching = asyncio.create_task(
        api.watch(
            subject.policies,
            lambda seen: seen[-1]["type"] == "BOOKMARK",
            seconds=5,
            resourceVersion=version,
            allowWatchBookmarks="true",
        )
    )
    while not watching.done():
        await api.post(subject.policies, subject.policy())
        await asyncio.wait({watching}, timeout=0.5)
    events = await watching
    assert events[-1]["type"] == "BOOKMARK"
    assert int(events[-1]["object"]["metadata"]["resourceVersion"]) >= int(version)


@pytest.mark.needs(Capability.SEND_INITIAL_EVENTS)
async def test_a_watch_can_send_the_state_first(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy(labels={"mark": (mark := fresh_name())}, target=1)
    await api.post(subject.policies, policy)
    events = await api.watch(
        subject.policies,
        lambda seen: seen[-1]["type"] == "BOOKMARK",
        sendInitialEvents="true",
        resourceVersionMatch="NotOlderThan",
        allowWatchBookmarks="true",
        labelSelector=f"mark={mark}",
    )
    assert _told(events) == [("ADDED", 1)]
    assert events[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
