"""What only the core sees in valid policies: rules without effect, assertions broken by the policy itself, limits."""

from collections.abc import Iterator

from batchaccess.cli.manifests import Mistake, PlacedPolicy, Weight, checks
from batchaccess.core.assertions import evaluate_assertions
from batchaccess.core.declared import DesiredAccess, DesiredEndpoint
from batchaccess.core.desired import canonical_sources, desired_network
from batchaccess.core.limits import limit_violations
from batchaccess.core.model import IpFamily, Network, Provisioning
from batchaccess.core.reachability import EndpointReachability, PoolReachability, reachability
from batchaccess.core.reasons import ConditionStatus
from batchaccess.core.ruleexplanation import RuleExplanation, explain_rules

_ANY_NETWORK = Network(ip_families=(IpFamily.IPV4, IpFamily.IPV6))
"""A pool that has nothing of its own; with both families, so that no source is without meaning."""


def policy_mistakes(placed: PlacedPolicy) -> Iterator[Mistake]:
    """Everything to say about one policy for itself."""
    access = placed.policy.access
    own = reachability(desired_network(_ANY_NETWORK, access), legacy=False)
    yield from _idle_rules(placed, own)
    if access.endpoints is not None:
        yield from _broken_assertions(placed, own)
    yield from _limits(placed, access)


def _idle_rules(placed: PlacedPolicy, own: PoolReachability) -> Iterator[Mistake]:
    reached = {endpoint.name: endpoint for endpoint in own.endpoints}
    declared = placed.policy.access.endpoints
    for index, item in enumerate(declared.items if declared else ()):
        where = f"spec.access.endpoints.items[{index}]"
        endpoint = reached[item.name]
        if item.rules is not None:
            yield from _idle_verbatim(placed, where, item, endpoint)
        else:
            yield from _idle_sources(placed, where, item, endpoint)


def _idle_verbatim(
    placed: PlacedPolicy, where: str, item: DesiredEndpoint, endpoint: EndpointReachability
) -> Iterator[Mistake]:
    places = {rule.priority: index for index, rule in enumerate(item.rules or ())}
    for explained in explain_rules(endpoint):
        rule = explained.rule
        path = f"{where}.rules[{places[rule.priority]}]"
        named = f"rule {rule.priority} ({rule.access} {rule.source})"
        if explained.shadowed:
            message = f"{named} never decides anything: rules with smaller priorities take all that it matches"
            yield placed.manifest.mistake(checks.SHADOWED_RULE, path, message, Weight.WARNING)
        elif explained.redundant:
            message = f"without {named} exactly the same sources get in"
            yield placed.manifest.mistake(checks.REDUNDANT_RULE, path, message, Weight.WARNING)


def _idle_sources(
    placed: PlacedPolicy, where: str, item: DesiredEndpoint, endpoint: EndpointReachability
) -> Iterator[Mistake]:
    """Sources that others contain; the final Deny is not the user's."""
    *allowing, _ = explain_rules(endpoint)
    idle = {explained.rule.source for explained in allowing if _is_idle(explained)}
    for index, source in enumerate(item.allow_from or ()):
        if set(canonical_sources([source])) & idle:
            message = f"without {source} exactly the same sources get in; others contain it"
            yield placed.manifest.mistake(checks.REDUNDANT_RULE, f"{where}.allowFrom[{index}]", message, Weight.WARNING)


def _is_idle(explained: RuleExplanation) -> bool:
    return explained.shadowed or explained.redundant


def _broken_assertions(placed: PlacedPolicy, own: PoolReachability) -> Iterator[Mistake]:
    policy = placed.policy
    places = {assertion.name: index for index, assertion in enumerate(policy.assertions)}
    for status in evaluate_assertions([policy], own):
        if status.holds is ConditionStatus.FALSE:
            path = f"spec.assertions[{places[status.name]}]"
            message = f"the policy itself breaks {status.name}: {status.message.rstrip('.')}"
            yield placed.manifest.mistake(checks.BROKEN_ASSERTION, path, message)


def _limits(placed: PlacedPolicy, access: DesiredAccess) -> Iterator[Mistake]:
    """Limits that the CustomResourceDefinition does not see; that of the subnet depends on the pool."""
    public = access.public_addresses
    without_subnet = (
        public is not None and public.provisioning is Provisioning.NO_PUBLIC_IP_ADDRESSES and access.subnet_id is None
    )
    network = desired_network(Network(subnet_id="of the pool" if without_subnet else None), access)
    for violation in limit_violations(network):
        yield placed.manifest.mistake(checks.LIMIT_EXCEEDED, "spec.access", str(violation))
    if without_subnet:
        yield placed.manifest.mistake(
            checks.LIMIT_EXCEEDED,
            "spec.access.publicAddresses",
            "the service takes this only of pools in a subnet; declare subnetId, or select such pools only",
            Weight.NOTE,
        )
