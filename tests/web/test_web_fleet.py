"""The fleet in short: where pools stand, what a filter admits, what is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.web.addresses import Addresses, filter_from, page_from
from batchaccess.web.fleet import Exposure, FleetFilter, FleetIndex, PoolGlance, Standing, glance, standing_of, tally
from batchaccess.web.readings import PoolReading
from tests.web.feed import HOSTILE, endpoint, pool, pool_status


@pytest.mark.parametrize(
    ("compliant", "remediating", "standing"),
    [
        pytest.param(("True", "Compliant"), ("False", "Idle"), Standing.IN_ORDER, id="as declared"),
        pytest.param(("Unknown", "NotManaged"), ("False", "Idle"), Standing.UNMANAGED, id="no policy governs it"),
        pytest.param(("False", "AuditOnly"), ("False", "Idle"), Standing.REPORTED, id="drift that nobody corrects"),
        pytest.param(("False", "PoolNotEmpty"), ("False", "Waiting"), Standing.WAITING, id="waits for an empty pool"),
        pytest.param(("False", "Rejected"), ("False", "Stalled"), Standing.STALLED, id="the service refused"),
        pytest.param(("False", "Correcting"), ("True", "Draining"), Standing.CORRECTING, id="a saga is at work"),
        pytest.param(("False", "X"), ("True", "RestorePending"), Standing.STALLED, id="the scale is not brought back"),
        pytest.param(("False", "AssertionViolated"), ("False", "Idle"), Standing.VIOLATING, id="an assertion fails"),
        pytest.param(("False", "GuardrailViolated"), ("False", "Idle"), Standing.VIOLATING, id="a guardrail is broken"),
        pytest.param(("Unknown", "Unreadable"), ("False", "Idle"), Standing.UNKNOWN, id="could not be read"),
        pytest.param(("Unknown", "NotObserved"), ("False", "Idle"), Standing.UNKNOWN, id="was not seen"),
        pytest.param(("", ""), ("", ""), Standing.UNKNOWN, id="has no status yet"),
    ],
)
def test_a_pool_stands_where_its_conditions_say(
    compliant: tuple[str, str], remediating: tuple[str, str], standing: Standing
) -> None:
    assert standing_of(pool_status(compliant=compliant, remediating=remediating)) is standing


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({}, id="no status"),
        pytest.param({"conditions": "none", "network": [], "policy": 7}, id="other types than the CRD's"),
        pytest.param({"conditions": [None, {}, {"type": "Exposed"}], "network": {"endpoints": [1, {}]}}, id="gaps"),
    ],
)
def test_a_broken_status_claims_nothing(status: dict[str, object]) -> None:
    short = glance(pool(status=status))
    assert (short.exposure, short.standing, short.policy) == (Exposure.UNKNOWN, Standing.UNKNOWN, "")


def fleet() -> list[PoolGlance]:
    closed = pool_status(exposed=("False", "None"), compliant=("True", "Compliant"), policy="render/closed")
    undetermined = pool_status(exposed=("Unknown", "Undetermined"), compliant=("Unknown", "NotManaged"), policy="")
    readings = [
        pool("render-1"),
        pool("Render-2", status=closed),
        pool("other", connection="dev", status=undetermined),
        pool("new", connection="dev", status={}),
    ]
    return list(FleetIndex().look(readings))


def test_the_most_dangerous_comes_first() -> None:
    assert [each.pool_id for each in fleet()] == ["render-1", "other", "new", "Render-2"]


def opened_to(source: str) -> dict[str, object]:
    """An open pool that is in order, so that nothing but its extent tells it from others."""
    rules = [{"priority": 200, "access": "Allow", "sourceAddressPrefix": source, "sourcePortRanges": ["*"]}]
    network = {"ipFamilies": ["IPv4"], "endpoints": [endpoint(rules=rules)]}
    return pool_status(compliant=("True", "Compliant"), network=network)


def test_of_open_pools_the_one_that_lets_in_most_comes_first() -> None:
    sources = {"a-office": "8.8.8.0/24", "b-address": "8.8.8.8", "c-anyone": "*", "d-network": "8.0.0.0/8"}
    readings = [pool(pool_id, status=opened_to(source)) for pool_id, source in sources.items()]
    pools = FleetIndex().look(readings)
    assert [each.pool_id for each in pools] == ["c-anyone", "d-network", "a-office", "b-address"]
    assert [each.extent.words for each in pools] == ["anyone", "16.8 million addresses", "256 addresses", "1 address"]


def test_how_many_get_in_counts_for_more_than_where_a_pool_stands() -> None:
    violating = {**opened_to("8.8.8.0/24"), "conditions": pool_status(compliant=("False", "X"))["conditions"]}
    pools = FleetIndex().look([pool("office", status=violating), pool("anyone", status=opened_to("*"))])
    assert [each.pool_id for each in pools] == ["anyone", "office"]


def test_the_endpoint_that_is_open_is_never_the_one_left_out() -> None:
    closed = [endpoint(f"closed-{number}", internet="Closed", admits="nobody") for number in range(5)]
    unsettled, opened = endpoint("tag", internet="Undetermined"), endpoint("SSH")
    status = pool_status(network={"ipFamilies": ["IPv4"], "endpoints": [*closed, unsettled, opened]})
    assert [each.name for each in glance(pool(status=status)).endpoints][:3] == ["SSH", "tag", "closed-0"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(FleetFilter(), ["render-1", "other", "new", "Render-2"], id="nothing asked for is everything"),
        pytest.param(FleetFilter(text="RENDER"), ["render-1", "Render-2"], id="ids compare without regard to case"),
        pytest.param(FleetFilter(text="render/closed"), ["Render-2"], id="policies are found by text too"),
        pytest.param(FleetFilter(connection="dev"), ["other", "new"], id="one account"),
        pytest.param(FleetFilter(policy="render/ssh"), ["render-1"], id="one policy"),
        pytest.param(FleetFilter(exposure=Exposure.OPEN), ["render-1"], id="open ones"),
        pytest.param(FleetFilter(exposure=Exposure.UNKNOWN), ["new"], id="those of which nothing is known"),
        pytest.param(FleetFilter(standing=Standing.UNMANAGED), ["other"], id="those nobody governs"),
        pytest.param(FleetFilter(connection="dev", exposure=Exposure.OPEN), [], id="all parts must match"),
    ],
)
def test_a_filter_admits(wanted: FleetFilter, found: list[str]) -> None:
    assert [each.pool_id for each in fleet() if wanted.admits(each)] == found


def test_every_pool_is_counted_once_in_each_row() -> None:
    counts = tally(fleet())
    assert counts.total == sum(counts.exposures.values()) == sum(counts.standings.values()) == 4


def counting(name: str, status: dict[str, object], reads: list[str], version: object) -> PoolReading:
    def read() -> dict[str, object]:
        reads.append(name)
        return status

    return PoolReading(name=f"prod.{name}", connection="prod", pool_id=name, version=version, status=read)


def test_only_what_changed_is_read_again() -> None:
    index, reads, kept, before, after = FleetIndex(), list[str](), object(), object(), object()
    first = index.look([counting("a", {}, reads, kept), counting("b", {}, reads, before)])
    assert index.look([counting("a", {}, reads, kept), counting("b", {}, reads, before)]) is first
    assert reads == ["a", "b"]
    second = index.look([counting("a", {}, reads, kept), counting("b", pool_status(), reads, after)])
    assert reads == ["a", "b", "b"]
    assert [each.pool_id for each in second] == ["b", "a"]
    assert [each.pool_id for each in index.look([counting("a", {}, reads, kept)])] == ["a"]
    assert list(index.look([])) == []


def test_what_was_learned_ahead_is_not_read_again() -> None:
    index, reads, version = FleetIndex(), list[str](), object()
    readings = [counting("a", pool_status(), reads, version), counting("b", {}, reads, version)]
    index.learn(readings)
    first = index.look(readings)
    assert [each.pool_id for each in first] == ["a", "b"]
    assert reads == ["a", "b"]
    index.learn(readings[:1])
    assert index.look(readings) is first
    index.learn([counting("b", pool_status(), reads, object())])
    assert [each.exposure for each in index.look(readings)] == [Exposure.OPEN, Exposure.UNKNOWN]


def test_one_pool_in_place_of_another_is_noticed() -> None:
    index, version = FleetIndex(), object()
    index.look([counting("a", {}, [], version)])
    assert [each.pool_id for each in index.look([counting("b", {}, [], version)])] == ["b"]


texts = st.text(st.characters(codec="utf-8"), max_size=50).map(str.strip)


@given(
    st.builds(
        FleetFilter,
        text=texts,
        connection=texts,
        policy=texts,
        exposure=st.none() | st.sampled_from(Exposure),
        standing=st.none() | st.sampled_from(Standing),
    )
)
def test_an_address_asks_for_what_it_was_made_of(wanted: FleetFilter) -> None:
    from yarl import URL  # noqa: PLC0415 what aiohttp reads addresses with

    assert filter_from(URL(Addresses().fleet(wanted, page=3), encoded=True).query) == wanted


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        pytest.param({"exposure": "wide", "standing": "x"}, FleetFilter(), id="unknown words ask for nothing"),
        pytest.param({"q": f" {HOSTILE} "}, FleetFilter(text=HOSTILE), id="any text is a text"),
        pytest.param({"q": "x" * 500}, FleetFilter(text="x" * 200), id="a text has an end"),
    ],
)
def test_any_query_is_a_filter(query: dict[str, str], wanted: FleetFilter) -> None:
    assert filter_from(query) == wanted


@pytest.mark.parametrize(
    ("asked", "page"),
    [("2", 2), ("", 1), ("0", 1), ("-1", 1), ("x", 1), ("٣", 1), ("9" * 5000, 1), ("007", 7)],
)
def test_any_page_number_is_a_page(asked: str, page: int) -> None:
    assert page_from({"page": asked}) == page
