"""The four examples of the Azure article "Configure or disable remote access to compute nodes in a Batch pool".

Each is declared twice: as the article's own rules, which have to arrive at the service as they are, and (the first
three) by who may come in, which has to give the same reachability.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from batchaccess.core.addresses import AddressSet
from batchaccess.core.declared import DesiredEndpoint
from batchaccess.core.desired import desired_network
from batchaccess.core.drift import drift_between
from batchaccess.core.model import Network
from batchaccess.core.reachability import PoolReachability, reachability
from batchaccess.core.reasons import DriftClass
from batchaccess.core.wire import network_configuration_body
from batchaccess.core.zones import ZoneVerdict
from tests.support.build import access, wanted


@dataclass(frozen=True, kw_only=True)
class Example:
    verbatim: DesiredEndpoint
    by_source: DesiredEndpoint | None
    sent: dict[str, Any]
    internet: ZoneVerdict
    virtual_network: ZoneVerdict
    open_from: tuple[str, ...] = ()
    closed_from: tuple[str, ...] = ()
    undetermined_from: tuple[str, ...] = ()


def sent(name: str, port: int, frontend: tuple[int, int], *rules: tuple[int, str, str]) -> dict[str, Any]:
    return {
        "endpointConfiguration": {
            "inboundNATPools": [
                {
                    "name": name,
                    "protocol": "tcp",
                    "backendPort": port,
                    "frontendPortRangeStart": frontend[0],
                    "frontendPortRangeEnd": frontend[1],
                    "networkSecurityGroupRules": [
                        {
                            "priority": priority,
                            "access": effect,
                            "sourceAddressPrefix": source,
                            "sourcePortRanges": ["*"],
                        }
                        for priority, effect, source in rules
                    ],
                }
            ]
        }
    }


EXAMPLES = {
    "RDP only from 198.168.100.7": Example(
        verbatim=wanted(
            "RDP", "allow 198.168.100.7 priority 179", "deny * priority 180", port=3389, frontend="7500-8000"
        ),
        by_source=wanted("RDP", allow_from=["198.168.100.7"], port=3389, frontend="7500-8000"),
        sent=sent("RDP", 3389, (7500, 8000), (179, "allow", "198.168.100.7"), (180, "deny", "*")),
        internet=ZoneVerdict.OPEN,
        virtual_network=ZoneVerdict.NOT_APPLICABLE,
        open_from=("198.168.100.7",),
        closed_from=("198.168.100.6", "8.8.8.8", "10.0.0.4"),
    ),
    "SSH only from 192.168.1.0/24": Example(
        verbatim=wanted("SSH", "allow 192.168.1.0/24 priority 170", "deny * priority 175"),
        by_source=wanted("SSH", allow_from=["192.168.1.0/24"]),
        sent=sent("SSH", 22, (4000, 4100), (170, "allow", "192.168.1.0/24"), (175, "deny", "*")),
        internet=ZoneVerdict.CLOSED,
        virtual_network=ZoneVerdict.NOT_APPLICABLE,
        open_from=("192.168.1.0/24", "192.168.1.77"),
        closed_from=("192.168.2.1", "8.8.8.8"),
    ),
    "nobody by RDP": Example(
        verbatim=wanted("RDP", "deny * priority 162", port=3389, frontend="60000-60099"),
        by_source=wanted("RDP", allow_from=[], port=3389, frontend="60000-60099"),
        sent=sent("RDP", 3389, (60000, 60099), (162, "deny", "*")),
        internet=ZoneVerdict.CLOSED,
        virtual_network=ZoneVerdict.CLOSED,
        closed_from=("0.0.0.0/0",),
    ),
    "SSH not from the tag Internet": Example(
        verbatim=wanted("SSH", "deny Internet priority 170"),
        by_source=None,
        sent=sent("SSH", 22, (4000, 4100), (170, "deny", "Internet")),
        internet=ZoneVerdict.CLOSED,
        virtual_network=ZoneVerdict.NOT_APPLICABLE,
        closed_from=("8.8.8.8",),
        undetermined_from=("10.0.0.4",),
    ),
}


def reach_of(declared: DesiredEndpoint) -> PoolReachability:
    return reachability(desired_network(Network(), access(declared)), legacy=False)


every_example = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())


@every_example
def test_verbatim_rules_are_sent_as_that_very_configuration(example: Example) -> None:
    declared = access(example.verbatim)
    desired = desired_network(Network(), declared)
    assert network_configuration_body(None, Network(), desired, declared) == example.sent


@every_example
def test_the_answers_per_zone(example: Example) -> None:
    (endpoint,) = reach_of(example.verbatim).endpoints
    assert endpoint.internet.value is example.internet
    assert endpoint.virtual_network.value is example.virtual_network


@every_example
def test_the_answers_per_source(example: Example) -> None:
    reach = reach_of(example.verbatim)
    answers = {
        ZoneVerdict.OPEN: example.open_from,
        ZoneVerdict.CLOSED: example.closed_from,
        ZoneVerdict.UNDETERMINED: example.undetermined_from,
    }
    for verdict, sources in answers.items():
        for source in sources:
            found = reach.verdict_from(AddressSet.parse(source), reach.endpoints[0])
            assert (source, found.value) == (source, verdict)


BY_SOURCE = {name: (each.verbatim, each.by_source) for name, each in EXAMPLES.items() if each.by_source is not None}


@pytest.mark.parametrize(("verbatim", "by_source"), BY_SOURCE.values(), ids=BY_SOURCE.keys())
def test_declaring_who_may_come_in_gives_the_same_reachability(
    verbatim: DesiredEndpoint, by_source: DesiredEndpoint
) -> None:
    as_rules = desired_network(Network(), access(verbatim))
    as_sources = desired_network(Network(), access(by_source))
    assert drift_between(as_rules, as_sources).kind is DriftClass.NEUTRAL
