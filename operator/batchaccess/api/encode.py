"""From core values to objects that can be written as YAML and applied; defaults are left unsaid."""

from typing import Any

from batchaccess.api.envelope import API_VERSION, Kind
from batchaccess.api.grammar import source_ports_text
from batchaccess.core import declared, model

_DEFAULT_REMEDIATION = declared.Remediation()
_DEFAULT_WINDOW_ZONE = "UTC"


def policy_manifest(policy: declared.AccessPolicy) -> dict[str, Any]:
    """A BatchPoolAccessPolicy that `parse_policy` reads as the same policy; mode is always said."""
    return {
        "apiVersion": API_VERSION,
        "kind": Kind.POLICY.value,
        "metadata": {"name": policy.key.name, "namespace": policy.key.namespace},
        "spec": _present(
            {
                "connections": _present(
                    {
                        "names": _list(policy.connections.names),
                        "matchLabels": None
                        if policy.connections.match_labels is None
                        else dict(policy.connections.match_labels),
                    }
                ),
                "pools": _pools(policy.pools),
                "priority": policy.priority or None,
                "mode": policy.mode.value,
                "suspend": policy.suspend or None,
                "access": _access(policy.access) or None,
                "assertions": [_assertion(assertion) for assertion in policy.assertions] or None,
                "remediation": _remediation(policy.remediation) or None,
            }
        ),
    }


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _pools(pools: declared.PoolSelector) -> dict[str, Any]:
    return _present(
        {
            "ids": list(pools.ids),
            "excludeIds": list(pools.exclude_ids) or None,
            "matchMetadata": dict(pools.match_metadata) or None,
        }
    )


def _access(access: declared.DesiredAccess) -> dict[str, Any]:
    endpoints, addresses = access.endpoints, access.public_addresses
    return _present(
        {
            "endpoints": None
            if endpoints is None
            else {"unlisted": endpoints.unlisted.value, "items": [_endpoint(item) for item in endpoints.items]},
            "publicAddresses": None
            if addresses is None
            else _present(
                {"provisioning": addresses.provisioning.value, "addressIds": list(addresses.address_ids) or None}
            ),
            "subnetId": access.subnet_id,
            "acceleratedNetworking": access.accelerated_networking,
        }
    )


def _endpoint(item: declared.DesiredEndpoint) -> dict[str, Any]:
    return _present(
        {
            "name": item.name,
            "protocol": item.protocol.value,
            "backendPort": item.backend_port,
            "frontendPorts": {"start": item.frontend.start, "end": item.frontend.end},
            "allowFrom": _list(item.allow_from),
            "rules": None if item.rules is None else [_rule(rule) for rule in item.rules],
        }
    )


def _rule(rule: model.Rule) -> dict[str, Any]:
    manifest: dict[str, Any] = {
        "priority": rule.priority,
        "access": rule.access.value,
        "sourceAddressPrefix": rule.source,
    }
    if rule.source_ports != (model.ALL_PORTS,):
        manifest["sourcePortRanges"] = [source_ports_text(ports) for ports in rule.source_ports]
    return manifest


def _assertion(assertion: declared.Assertion) -> dict[str, Any]:
    return _present(
        {
            "name": assertion.name,
            "ports": list(assertion.ports) or None,
            "notReachableFrom": list(assertion.not_reachable_from),
        }
    )


def _remediation(remediation: declared.Remediation) -> dict[str, Any]:
    said = {
        "strategy": remediation.strategy.value,
        "pauseAutoscale": remediation.pause_autoscale,
        "nodeDeallocation": remediation.node_deallocation.value,
        "drainTimeoutSeconds": remediation.drain_timeout_seconds,
        "maxConcurrent": remediation.max_concurrent,
    }
    unsaid = {
        "strategy": _DEFAULT_REMEDIATION.strategy.value,
        "pauseAutoscale": _DEFAULT_REMEDIATION.pause_autoscale,
        "nodeDeallocation": _DEFAULT_REMEDIATION.node_deallocation.value,
        "drainTimeoutSeconds": _DEFAULT_REMEDIATION.drain_timeout_seconds,
        "maxConcurrent": _DEFAULT_REMEDIATION.max_concurrent,
    }
    manifest: dict[str, Any] = {key: value for key, value in said.items() if value != unsaid[key]}
    if remediation.windows:
        manifest["windows"] = [_window(window) for window in remediation.windows]
    return manifest


def _window(window: declared.Window) -> dict[str, Any]:
    manifest: dict[str, Any] = {
        "kind": window.kind.value,
        "schedule": window.schedule,
        "durationSeconds": window.duration_seconds,
    }
    if window.time_zone != _DEFAULT_WINDOW_ZONE:
        manifest["timeZone"] = window.time_zone
    return manifest
