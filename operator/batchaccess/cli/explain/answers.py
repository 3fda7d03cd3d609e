"""What is told about one pool: its endpoints, their rules in the order of trial, and what becomes of one source."""

from collections.abc import Iterable
from dataclasses import dataclass

from batchaccess.cli.explain.sources import GivenSource
from batchaccess.cli.inputs import ReadAccount, ReadPool
from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.explain import because
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import Rule
from batchaccess.core.reach import Reach
from batchaccess.core.reachability import EndpointReachability, PoolReachability, reachability
from batchaccess.core.ruleexplanation import RuleExplanation, decide_source, explain_rules
from batchaccess.core.zones import Verdict, Why, ZoneVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressSets:
    """Literal addresses of one zone by what becomes of them, from the source port they fare best from."""

    open: AddressSet
    undetermined: AddressSet
    closed: AddressSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedEndpoint:
    """One endpoint. `rest` is what no rule matches; `public` and `private` are its literal addresses by outcome."""

    endpoint: EndpointReachability
    rules: tuple[RuleExplanation, ...]
    rest: AddressSet
    public: AddressSets
    private: AddressSets


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswer:
    """What becomes of the source that was asked about; `endpoint` is None for ports that no endpoint maps."""

    endpoint: EndpointReachability | None
    verdict: ZoneVerdict
    because: str
    port: int | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPool:
    """Everything that is told about one pool. `endpoints` are those of `port` if one was asked for."""

    account: ReadAccount
    read: ReadPool
    reachability: PoolReachability
    endpoints: tuple[ExplainedEndpoint, ...]
    port: int | None
    source: GivenSource | None
    answers: tuple[SourceAnswer, ...]


def explain_pool(
    account: ReadAccount, read: ReadPool, *, source: GivenSource | None, port: int | None
) -> ExplainedPool:
    """Explain one pool.

    Args:
        account: its account.
        read: the pool.
        source: the one source that is asked about, None for no particular one.
        port: the backend port that matters, None for all.
    """
    reach = reachability(read.pool.network, legacy=read.pool.is_legacy, nodes=read.nodes)
    endpoints = [each for each in reach.endpoints if port is None or each.backend_port == port]
    return ExplainedPool(
        account=account,
        read=read,
        reachability=reach,
        endpoints=tuple(_endpoint(each) for each in endpoints),
        port=port,
        source=source,
        answers=()
        if source is None
        else _answers(reach, endpoints, source, with_unmapped=port is None or not endpoints),
    )


def _endpoint(endpoint: EndpointReachability) -> ExplainedEndpoint:
    rules = explain_rules(endpoint)
    decided = NO_ADDRESSES
    for rule in rules:
        if not rule.tag:
            decided |= rule.decides
    everything = endpoint.gate.everything
    return ExplainedEndpoint(
        endpoint=endpoint,
        rules=rules,
        rest=everything - decided if rules else NO_ADDRESSES,
        public=_public(endpoint),
        private=_sets(endpoint, everything - PUBLIC_ADDRESSES),
    )


def _public(endpoint: EndpointReachability) -> AddressSets:
    """Public literals, as far as the provisioning of public addresses lets them come near."""
    public = endpoint.gate.everything & PUBLIC_ADDRESSES
    match endpoint.internet.witness.why:
        case Why.NO_PUBLIC_ADDRESSES:
            return AddressSets(open=NO_ADDRESSES, undetermined=NO_ADDRESSES, closed=public)
        case Why.PROVISIONING_UNKNOWN:
            by_rules = _sets(endpoint, public)
            return AddressSets(
                open=NO_ADDRESSES, undetermined=by_rules.open | by_rules.undetermined, closed=by_rules.closed
            )
        case _:
            return _sets(endpoint, public)


def _sets(endpoint: EndpointReachability, among: AddressSet) -> AddressSets:
    open_to = endpoint.function.open_sources & among
    undetermined = (endpoint.function.undetermined_sources & among) - open_to
    return AddressSets(open=open_to, undetermined=undetermined, closed=among - open_to - undetermined)


def _answers(
    reach: PoolReachability, endpoints: Iterable[EndpointReachability], source: GivenSource, *, with_unmapped: bool
) -> tuple[SourceAnswer, ...]:
    found = [_answer(reach, endpoint, source) for endpoint in endpoints]
    if with_unmapped:
        verdict = reach.unmapped_from(AddressSet.of_address(source.address))
        found.append(SourceAnswer(endpoint=None, verdict=verdict.value, because=because(verdict)))
    return tuple(found)


_BY_ZONE = frozenset({Why.NO_PUBLIC_ADDRESSES, Why.PROVISIONING_UNKNOWN, Why.NO_ADDRESSES_OF_FAMILY})
_VERDICTS = {
    Reach.OPEN: ZoneVerdict.OPEN,
    Reach.CLOSED: ZoneVerdict.CLOSED,
    Reach.UNDETERMINED: ZoneVerdict.UNDETERMINED,
}


def _answer(reach: PoolReachability, endpoint: EndpointReachability, source: GivenSource) -> SourceAnswer:
    """What becomes of a source at an endpoint: by its rules, unless where public addresses come from settles it."""
    zone = reach.verdict_from(AddressSet.of_address(source.address), endpoint)
    if zone.witness.why in _BY_ZONE:
        return SourceAnswer(endpoint=endpoint, verdict=zone.value, because=because(zone), rule=zone.witness.rule)
    decision = decide_source(endpoint, source.address, source.port)
    verdict = Verdict(value=_VERDICTS[decision.reach], witness=decision.witness)
    narrowed = source.port is None and any(not _all_ports(rule) for rule in endpoint.rules)
    return SourceAnswer(
        endpoint=endpoint,
        verdict=verdict.value,
        because=because(verdict),
        port=decision.port if narrowed or source.port is not None else None,
        rule=decision.witness.rule,
    )


def _all_ports(rule: Rule) -> bool:
    return len(rule.source_ports) == 1 and str(rule.source_ports[0]) == "0-65535"
