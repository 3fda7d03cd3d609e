"""An explanation as a document for machines: docs/schemas/pool-explanation-v1.json."""

from collections.abc import Sequence
from typing import Any

from batchaccess.cli.explain.answers import AddressSets, ExplainedEndpoint, ExplainedPool, SourceAnswer
from batchaccess.cli.inputs import Failure
from batchaccess.cli.outputs import report
from batchaccess.cli.outputs.reachability import (
    counts_document,
    endpoint_document,
    rule_document,
    verdict_document,
)
from batchaccess.core.addresses import AddressSet, written
from batchaccess.core.explain import SUBNET_NOTE
from batchaccess.core.ruleexplanation import RuleExplanation

KIND = "PoolExplanation"


def explanation_report(pools: Sequence[ExplainedPool], problems: Sequence[Failure]) -> dict[str, Any]:
    """Every pool of the id that was asked for."""
    return report(
        KIND,
        {
            "pools": [_pool(pool) for pool in pools],
            "errors": [{"source": problem.source, "message": problem.message} for problem in problems],
            "notes": [SUBNET_NOTE],
        },
    )


def _pool(pool: ExplainedPool) -> dict[str, Any]:
    reach = pool.reachability
    return {
        "account": pool.account.name,
        "source": pool.account.source,
        "id": pool.read.pool.id,
        "exposed": reach.exposed.value,
        "publicAddressProvisioning": reach.network.provisioning.value,
        "subnetId": reach.network.subnet_id,
        "legacy": pool.read.pool.is_legacy,
        "nodesListed": None if pool.read.nodes is None else pool.read.nodes.nodes,
        "endpoints": [_endpoint(endpoint) for endpoint in pool.endpoints],
        "unmappedPorts": {
            "internet": verdict_document(reach.unmapped_internet),
            "virtualNetwork": verdict_document(reach.unmapped_virtual_network),
        },
        "from": None
        if pool.source is None
        else {
            "address": str(pool.source.address),
            "sourcePort": pool.source.port,
            "answers": [_answer(answer) for answer in pool.answers],
        },
    }


def _endpoint(explained: ExplainedEndpoint) -> dict[str, Any]:
    return {
        **endpoint_document(explained.endpoint),
        "rules": [_rule(rule) for rule in explained.rules],
        "matchedByNoRule": _set(explained.rest),
        "public": _sets(explained.public),
        "private": _sets(explained.private),
    }


def _rule(explained: RuleExplanation) -> dict[str, Any]:
    return {
        **rule_document(explained.rule),
        "decides": _set(explained.decides),
        "tag": explained.tag,
        "shadowed": explained.shadowed,
        "redundant": explained.redundant,
    }


def _sets(sets: AddressSets) -> dict[str, Any]:
    """All three by number; what is closed is the rest, which nobody needs spelled out."""
    return {
        "open": _set(sets.open),
        "undetermined": _set(sets.undetermined),
        "closed": {"count": counts_document(sets.closed)},
    }


def _set(addresses: AddressSet) -> dict[str, Any]:
    return {"prefixes": [written(network) for network in addresses.cidrs()], "count": counts_document(addresses)}


def _answer(answer: SourceAnswer) -> dict[str, Any]:
    return {
        "endpoint": None if answer.endpoint is None else answer.endpoint.name,
        "backendPort": None if answer.endpoint is None else answer.endpoint.backend_port,
        "verdict": answer.verdict.value,
        "because": answer.because,
        "fromSourcePort": answer.port,
        "rule": None if answer.rule is None else rule_document(answer.rule),
    }
