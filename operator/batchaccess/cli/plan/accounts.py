"""Which connection each account that was read belongs to, and what is taken for granted where nobody says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from batchaccess.api.envelope import NOT_CREATED
from batchaccess.api.fields import MAX_PRIORITY_OF_POLICIES
from batchaccess.cli.inputs import ReadAccount
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Auth,
    AuthType,
    Grant,
    Mode,
    NamespaceSelector,
    Strategy,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedAccount:
    """An account with the connection that policies reach it by. `assumed`: no BatchAccountConnection was given."""

    account: ReadAccount
    connection: AccountConnection
    assumed: bool


def connected_accounts(
    accounts: Sequence[ReadAccount],
    declared: Sequence[AccountConnection],
    policies: Sequence[AccessPolicy],
    *,
    by_hand: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
) -> list[ConnectedAccount]:
    """Each account with its connection.

    What the user says goes before all. An account that was read by a BatchAccountConnection belongs to that. One from
    --endpoint or --pools belongs to the declared connection of its name, or to that whose endpoint names the account.
    If there is neither, a connection is assumed that grants everything: of the account's name if policies use it, else
    of the only name that they use and no other account has. Its labels are those that the policies ask for, if all of
    them select by labels and agree.

    Args:
        accounts: what was read.
        declared: the connections among the manifests.
        policies: the policies to be planned.
        by_hand: endpoints given with --endpoint, whose connections nobody declared.
        names: the connection that an account stands for, by the account's name, as the user says.
    """
    said = names or {}
    endpoints = frozenset(by_hand)
    known = [_declared_for(account, declared, endpoints, said.get(account.name)) for account in accounts]
    taken = {connection.name for connection in known if connection is not None}
    used = sorted({name for policy in policies for name in policy.connections.names or ()} - taken)
    without = [account for account, connection in zip(accounts, known, strict=True) if connection is None]
    labels = _common_labels(policies) if len(without) == 1 else {}
    found = []
    for account, connection in zip(accounts, known, strict=True):
        if connection is not None:
            found.append(ConnectedAccount(account=account, connection=connection, assumed=False))
            continue
        alone = len(without) == 1 and len(used) == 1
        guessed = used[0] if alone and account.name not in used else account.name
        name = said.get(account.name, guessed)
        found.append(ConnectedAccount(account=account, connection=_assumed(name, account, labels), assumed=True))
    return found


def _declared_for(
    account: ReadAccount, declared: Sequence[AccountConnection], by_hand: frozenset[str], said: str | None
) -> AccountConnection | None:
    if said is not None:
        return next((connection for connection in declared if connection.name == said), None)
    own = account.connection
    if own is not None and own.endpoint not in by_hand:
        return own
    named = [connection for connection in declared if connection.name == account.name]
    placed = [connection for connection in declared if _is_of(connection, account)]
    return next(iter((*named, *placed)), None)


def _is_of(connection: AccountConnection, account: ReadAccount) -> bool:
    if account.connection is not None:
        return connection.endpoint == account.connection.endpoint
    return (urlsplit(connection.endpoint).hostname or "").partition(".")[0] == account.name.lower()


def _common_labels(policies: Sequence[AccessPolicy]) -> dict[str, str]:
    """The labels that all policies ask for together; none if some use names, or two of them disagree."""
    labels: dict[str, str] = {}
    for policy in policies:
        if policy.connections.match_labels is None:
            return {}
        for key, value in policy.connections.match_labels.items():
            if labels.setdefault(key, value) != value:
                return {}
    return labels


def _assumed(name: str, account: ReadAccount, labels: dict[str, str]) -> AccountConnection:
    """A connection that permits everything. How the operator signs in is not known, so no shared key is assumed."""
    base = account.connection or AccountConnection(
        name=name,
        uid="",
        generation=0,
        created=NOT_CREATED,
        endpoint=account.source,
        auth=Auth(type=AuthType.WORKLOAD_IDENTITY),
    )
    return replace(
        base,
        name=name,
        auth=Auth(type=AuthType.WORKLOAD_IDENTITY),
        labels=labels,
        grants=(
            Grant(
                namespaces=NamespaceSelector(all=True),
                max_priority=MAX_PRIORITY_OF_POLICIES,
                modes=tuple(Mode),
                strategies=tuple(Strategy),
            ),
        ),
    )
