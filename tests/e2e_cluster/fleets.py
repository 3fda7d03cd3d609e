"""A fleet that is as declared: accounts with many pools, and policies that are spread over them."""

from typing import Any, Final

from batchemulator.accounts import Account
from tests.e2e_cluster.realcluster import GROUP, NAMESPACE, RealCluster
from tests.support.kube import connection_manifest

ACCOUNTS: Final = tuple(
    Account(name=f"fleet{number}", key="ZmxlZXQta2V5LW9mLXRlc3RzLW5vdC1hLXNlY3JldA==") for number in range(4)
)
POOLS_PER_ACCOUNT: Final = 500
POLICIES_PER_ACCOUNT: Final = 125
POOLS: Final = len(ACCOUNTS) * POOLS_PER_ACCOUNT
POLICIES: Final = len(ACCOUNTS) * POLICIES_PER_ACCOUNT
_TEAMS: Final = 10
_OFFICE: Final = "192.168.1.0/24"


def pools() -> list[dict[str, Any]]:
    """Of one account; each lets in the office only, as its policy declares."""
    rules = [
        {"priority": 1000, "access": "allow", "sourceAddressPrefix": _OFFICE},
        {"priority": 1001, "access": "deny", "sourceAddressPrefix": "*"},
    ]
    nat_pool = {
        "name": "SSH",
        "protocol": "tcp",
        "backendPort": 22,
        "frontendPortRangeStart": 4000,
        "frontendPortRangeEnd": 4100,
        "networkSecurityGroupRules": rules,
    }
    network = {"endpointConfiguration": {"inboundNATPools": [nat_pool]}}
    return [
        {"id": f"pool-{number % POLICIES_PER_ACCOUNT}-{number}", "networkConfiguration": network}
        for number in range(POOLS_PER_ACCOUNT)
    ]


def declare(cluster: RealCluster, urls: dict[str, str], *, sync_seconds: int) -> None:
    """Connections with their Secrets, and every policy."""
    for team in range(_TEAMS):
        _create(cluster, "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": f"team-{team}"}}, "v1")
    for account in ACCOUNTS:
        secret = {
            "kind": "Secret",
            "metadata": {"name": account.name},
            "stringData": {"key": f"{account.name}:{account.key}"},
        }
        _create(cluster, f"/api/v1/namespaces/{NAMESPACE}/secrets", secret, "v1")
        spec = connection_manifest(
            account.name,
            endpoint=urls[account.name],
            auth={"type": "SharedKey", "secretRef": {"name": account.name, "key": "key"}},
            syncPeriodSeconds=sync_seconds,
            grants=[{"namespaces": {"all": True}, "modes": ["Audit", "Enforce"]}],
        )
        _create(cluster, f"{GROUP}/batchaccountconnections", spec)
        for number in range(POLICIES_PER_ACCOUNT):
            path = f"{GROUP}/namespaces/team-{number % _TEAMS}/batchpoolaccesspolicies"
            _create(cluster, path, _policy(account.name, number))


def _policy(account: str, number: int) -> dict[str, Any]:
    item = {"name": "SSH", "backendPort": 22, "frontendPorts": {"start": 4000, "end": 4100}, "allowFrom": [_OFFICE]}
    return {
        "kind": "BatchPoolAccessPolicy",
        "metadata": {"name": f"{account}-{number}"},
        "spec": {
            "connections": {"names": [account]},
            "pools": {"ids": [f"pool-{number}-*"]},
            "mode": "Enforce",
            "access": {"endpoints": {"items": [item]}},
            "assertions": [{"name": "no-login", "ports": [22, 3389], "notReachableFrom": ["Internet"]}],
        },
    }


def _create(
    cluster: RealCluster, path: str, manifest: dict[str, Any], version: str = "batchaccess.dev/v1alpha1"
) -> None:
    code, body = cluster.call("POST", path, {"apiVersion": version, **manifest})
    assert code in (201, 409), body


def is_observed(cluster: RealCluster) -> bool:
    """Whether every pool of every account was found to be as declared, and that was written down."""
    listed = cluster.get(f"{GROUP}/batchaccountconnections").get("items", [])
    counts = [each.get("status", {}).get("pools", {}).get("compliant") for each in listed]
    return counts == [POOLS_PER_ACCOUNT] * len(ACCOUNTS)


def undeclare(cluster: RealCluster) -> None:
    """Delete all of it at once."""
    for team in range(_TEAMS):
        cluster.call("DELETE", f"{GROUP}/namespaces/team-{team}/batchpoolaccesspolicies")
    for plural in ("batchaccountconnections", "batchpoolaccesses"):
        cluster.call("DELETE", f"{GROUP}/{plural}")
