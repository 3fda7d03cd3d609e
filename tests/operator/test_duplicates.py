from dataclasses import replace
from datetime import timedelta

import pytest

from batchaccess.control.duplicates import account_host, assign
from batchaccess.core.declared import AccountConnection
from tests.support.build import RECENT, connection


def named(name: str, endpoint: str, *, age_days: int) -> AccountConnection:
    return replace(connection(name), endpoint=endpoint, created=RECENT - timedelta(days=age_days))


def test_of_two_connections_to_one_account_the_older_sweeps_and_the_other_names_it() -> None:
    older = named("zz-old", "https://acc.westeurope.batch.azure.com", age_days=2)
    younger = named("aa-new", "https://ACC.westeurope.batch.azure.com:443/", age_days=1)
    found = assign([younger, older])
    assert set(found.sweeping) == {"zz-old"}
    assert found.duplicates == {"aa-new": "zz-old"}


def test_equal_age_is_settled_by_name() -> None:
    endpoint = "https://acc.westeurope.batch.azure.com"
    found = assign([named("bb", endpoint, age_days=1), named("aa", endpoint, age_days=1)])
    assert found.duplicates == {"bb": "aa"}


def test_when_the_older_goes_the_other_takes_over() -> None:
    younger = named("new", "https://acc.westeurope.batch.azure.com", age_days=1)
    assert assign([younger]).duplicates == {}
    assert set(assign([younger]).sweeping) == {"new"}


def test_different_accounts_do_not_meet() -> None:
    first = named("one", "https://one.westeurope.batch.azure.com", age_days=1)
    second = named("two", "https://two.westeurope.batch.azure.com", age_days=1)
    assert assign([first, second]).duplicates == {}


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        pytest.param(
            "https://Acc.WestEurope.batch.azure.com", "acc.westeurope.batch.azure.com:443", id="case is folded"
        ),
        pytest.param(
            "https://acc.x.batch.azure.com:443/", "acc.x.batch.azure.com:443", id="the default port is implied"
        ),
        pytest.param("https://acc.x.batch.azure.com.", "acc.x.batch.azure.com:443", id="a final dot means nothing"),
        pytest.param("http://127.0.0.1:8080", "127.0.0.1:8080", id="an emulator is told apart by its port"),
        pytest.param("http://127.0.0.1:8081", "127.0.0.1:8081", id="and so is the next one"),
    ],
)
def test_spellings_of_one_host_are_one(endpoint: str, host: str) -> None:
    assert account_host(endpoint) == host
