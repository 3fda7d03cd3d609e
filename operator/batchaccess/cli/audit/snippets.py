"""What to do about exposed endpoints, as policies to start from: they close them, and say where to put who may in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from batchaccess.api import parse_policy, policy_manifest
from batchaccess.api.envelope import NOT_CREATED
from batchaccess.cli.audit.evaluation import AuditedPool
from batchaccess.core import findingrules
from batchaccess.core.declared import (
    AccessPolicy,
    DesiredAccess,
    DesiredEndpoint,
    DesiredEndpoints,
    NameSelector,
    PoolSelector,
    Unlisted,
)
from batchaccess.core.model import (
    InboundEndpoint,
    ObjectKey,
)
from batchaccess.core.reasons import ExposedReason
from batchaccess.ports import InvalidObject

_MOST_IDS: Final = 50
"""Pool ids of one policy, as its CustomResourceDefinition has it."""

_CLOSABLE: Final = frozenset(
    {findingrules.LOGIN_PORT_OPEN, findingrules.ENDPOINT_OPEN, findingrules.REACH_UNDETERMINED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One policy for all pools of an account whose open endpoints are the same."""

    account: str
    pools: tuple[str, ...]
    manifest: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The policy as YAML, with the place marked where who may get in goes."""
        text: str = yaml.safe_dump(dict(self.manifest), sort_keys=False, width=120, default_flow_style=None)
        return text.replace("allowFrom: []", "allowFrom: []   # nobody; put here who may, as 203.0.113.0/24")


def snippets(pools: Iterable[AuditedPool]) -> Iterator[Snippet]:
    """Policies that close what is open in these pools, one for all with the same endpoints open.

    Endpoints that a policy could not describe, such as those an old API let through, have none.
    """
    alike: dict[tuple[str, tuple[DesiredEndpoint, ...]], list[str]] = {}
    for pool in sorted(pools, key=lambda pool: pool.reachability.exposed is not ExposedReason.INTERNET_REACHABLE):
        if items := _closed(pool):
            alike.setdefault((pool.account, items), []).append(pool.id)
    names: Counter[str] = Counter()
    for (account, items), ids in alike.items():
        ordered = sorted(ids)
        for start in range(0, len(ordered), _MOST_IDS):
            some = tuple(ordered[start : start + _MOST_IDS])
            name = f"{_label(account)}-close-{_label(items[0].name)}"
            names[name] += 1
            manifest = policy_manifest(
                _policy(f"{name}-{names[name]}" if names[name] > 1 else name, account, items, some)
            )
            if not isinstance(parse_policy(manifest), InvalidObject):
                yield Snippet(account=account, pools=some, manifest=manifest)


def _closed(pool: AuditedPool) -> tuple[DesiredEndpoint, ...]:
    named = {finding.endpoint for finding in pool.findings if finding.rule in _CLOSABLE}
    return tuple(_item(each) for each in pool.read.pool.network.endpoints if each.name in named)


def _item(endpoint: InboundEndpoint) -> DesiredEndpoint:
    return DesiredEndpoint(
        name=endpoint.name,
        protocol=endpoint.protocol,
        backend_port=endpoint.backend_port,
        frontend=endpoint.frontend,
        allow_from=(),
    )


def _policy(name: str, account: str, items: tuple[DesiredEndpoint, ...], ids: tuple[str, ...]) -> AccessPolicy:
    return AccessPolicy(
        key=ObjectKey(namespace="default", name=name),
        uid="",
        generation=0,
        created=NOT_CREATED,
        connections=NameSelector(names=(account,)),
        pools=PoolSelector(ids=ids),
        access=DesiredAccess(endpoints=DesiredEndpoints(unlisted=Unlisted.KEEP, items=items)),
    )


def _label(name: str) -> str:
    """An endpoint's name as a DNS label may have it."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    return kept.strip("-")[:40].strip("-") or "endpoint"
