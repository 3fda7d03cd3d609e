"""Pools that are there from the start: documents as GET shows them, or shorter ones, taken over as they are.

Whatever a document says counts, creationTime, eTag and keys unknown here included; what it leaves out gets a default.
The key `emulator` is ours: `{"emulator": {"legacyMapping": false}}` decides whether nodes carry the implicit login
mapping, which is otherwise assumed of pools created before the cut-over.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import yaml

from batchemulator.state import autoscale
from batchemulator.state.allocation import add_node, begin_resize
from batchemulator.state.deletion import begin_deletion
from batchemulator.state.nodes import NodeKind, NodeState
from batchemulator.state.normalisation import normalise_settings, with_defaults
from batchemulator.state.pool import DEFAULT_RESIZE_TIMEOUT, Pool, Targets
from batchemulator.wire.times import parse_duration, parse_instant, ticks

if TYPE_CHECKING:
    from pathlib import Path

    from batchemulator.state.account import AccountState
    from batchemulator.wire.messages import JsonObject

LEGACY_CUT_OVER = datetime(2025, 12, 1, tzinfo=UTC)
"""Pools created before may carry implicit SSH or RDP mappings (azure-docs "pool-endpoint-configuration")."""
_DEFAULT_SETTINGS: JsonObject = {
    "vmSize": "standard_d2s_v3",
    "virtualMachineConfiguration": {
        "imageReference": {
            "publisher": "canonical",
            "offer": "0001-com-ubuntu-server-jammy",
            "sku": "22_04-lts",
            "version": "latest",
        },
        "nodeAgentSKUId": "batch.node.ubuntu 22.04",
    },
}
_RUNTIME_KEYS = frozenset(
    {
        "odata.metadata",
        "emulator",
        "id",
        "url",
        "eTag",
        "lastModified",
        "creationTime",
        "state",
        "stateTransitionTime",
        "allocationState",
        "allocationStateTransitionTime",
        "resizeTimeout",
        "resizeErrors",
        "currentDedicatedNodes",
        "targetDedicatedNodes",
        "currentLowPriorityNodes",
        "targetLowPriorityNodes",
        "enableAutoScale",
        "autoScaleFormula",
        "autoScaleEvaluationInterval",
        "autoScaleRun",
    },
)


def seed_pool(account: AccountState, document: JsonObject, now: datetime) -> Pool:
    """Put a pool into an account, replacing one of the same id, with idle nodes and in the state the document says.

    Raises:
        ValueError: the document has no id, or a value that cannot be read.
    """
    pool_id = document.get("id")
    if not isinstance(pool_id, str) or not pool_id:
        raise ValueError("a seeded pool needs an id")
    created = _instant(document, "creationTime", now)
    modified = _instant(document, "lastModified", created)
    settings = {key: value for key, value in document.items() if key not in _RUNTIME_KEYS}
    if "cloudServiceConfiguration" in settings:
        settings = {"vmSize": _DEFAULT_SETTINGS["vmSize"]} | settings
    else:
        settings = _DEFAULT_SETTINGS | settings
    pool = Pool(
        id=pool_id,
        serial=account.next_serial(),
        created=created,
        modified=modified,
        etag=document.get("eTag") or _seed_etag(account, modified),
        settings=with_defaults(normalise_settings(settings, account.assumptions)),
        state_changed=_instant(document, "stateTransitionTime", created),
        allocation_changed=_instant(document, "allocationStateTransitionTime", created),
        targets=Targets(
            int(document.get("targetDedicatedNodes", 0)),
            int(document.get("targetLowPriorityNodes", 0)),
        ),
        resize_timeout=parse_duration(document["resizeTimeout"])
        if "resizeTimeout" in document
        else DEFAULT_RESIZE_TIMEOUT,
        resize_errors=list(document.get("resizeErrors", [])),
        legacy_mapping=document.get("emulator", {}).get("legacyMapping", created < LEGACY_CUT_OVER),
    )
    account.pools.put(pool)
    _seed_nodes(account, pool, document, now)
    _seed_autoscale(account, pool, document, now)
    _seed_state(account, pool, document, now)
    return pool


def _seed_etag(account: AccountState, modified: datetime) -> str:
    return account.next_etag(modified) if ticks(modified) > account.last_tick else f"0x{ticks(modified):X}"


def _instant(document: JsonObject, key: str, default: datetime) -> datetime:
    return parse_instant(document[key]) if key in document else default


def _seed_nodes(account: AccountState, pool: Pool, document: JsonObject, now: datetime) -> None:
    for kind, name in ((NodeKind.DEDICATED, "DedicatedNodes"), (NodeKind.LOW_PRIORITY, "LowPriorityNodes")):
        count = document[f"current{name}"] if f"current{name}" in document else document.get(f"target{name}", 0)
        for _ in range(int(count)):
            add_node(account, pool, kind, NodeState.IDLE, now)


def _seed_autoscale(account: AccountState, pool: Pool, document: JsonObject, now: datetime) -> None:
    if not document.get("enableAutoScale"):
        return
    interval = document.get("autoScaleEvaluationInterval")
    length = parse_duration(interval) if interval else autoscale.DEFAULT_INTERVAL
    autoscale.resume(
        account,
        pool,
        now,
        formula=str(document.get("autoScaleFormula", "")),
        interval=length,
        run=document.get("autoScaleRun"),
    )


def _seed_state(account: AccountState, pool: Pool, document: JsonObject, now: datetime) -> None:
    etag, modified, timeout = pool.etag, pool.modified, pool.resize_timeout
    if document.get("state") == "deleting":
        begin_deletion(account, pool, now)
        pool.etag, pool.modified, pool.resize_timeout = etag, modified, timeout
    elif document.get("allocationState", "steady") != "steady":
        begin_resize(account, pool, pool.targets, now)
    pool.invalidate()


def read_pool_file(path: Path, default_account: str) -> dict[str, list[JsonObject]]:
    """The pools of a JSON or YAML file by account: a list, a list answer (`value`), or a mapping of account to list.

    Raises:
        ValueError: the file holds something else.
    """
    text = path.read_text(encoding="utf-8")
    try:
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is neither JSON nor YAML: {error}") from error
    if isinstance(content, dict) and isinstance(content.get("value"), list):
        content = content["value"]
    by_account = {default_account: content} if isinstance(content, list) else content
    if not isinstance(by_account, dict) or not all(_is_pool_list(pools) for pools in by_account.values()):
        raise ValueError(f"{path} must hold a list of pools or a mapping of account names to such lists")
    return by_account


def _is_pool_list(pools: object) -> bool:
    return isinstance(pools, list) and all(isinstance(pool, dict) for pool in pools)
