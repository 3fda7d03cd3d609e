"""Which endpoints are sent credentials, and to which cloud they belong."""

import pytest

from batchaccess.azurebatch.endpoints import (
    CHINA,
    PUBLIC,
    US_GOVERNMENT,
    Cloud,
    EndpointNotAllowedError,
    is_loopback,
    parse_endpoint,
)


@pytest.mark.parametrize(
    ("text", "url", "cloud"),
    [
        pytest.param("https://prod.westeurope.batch.azure.com", None, PUBLIC, id="an account of the public cloud"),
        pytest.param("https://prod.westeurope.batch.azure.com/", None, PUBLIC, id="a trailing slash says nothing"),
        pytest.param("https://prod.westeurope.batch.azure.com:443", None, PUBLIC, id="nor does the default port"),
        pytest.param("https://PROD.WestEurope.Batch.Azure.com", None, PUBLIC, id="nor does letter case"),
        pytest.param(
            "https://prod.chinanorth.batch.chinacloudapi.cn",
            "https://prod.chinanorth.batch.chinacloudapi.cn",
            CHINA,
            id="an account in China",
        ),
        pytest.param(
            "https://prod.usgovvirginia.batch.usgovcloudapi.net",
            "https://prod.usgovvirginia.batch.usgovcloudapi.net",
            US_GOVERNMENT,
            id="an account of the US Government",
        ),
    ],
)
def test_known_batch_hosts_are_allowed_and_know_their_cloud(text: str, url: str | None, cloud: Cloud) -> None:
    endpoint = parse_endpoint(text)
    assert endpoint.url == (url or "https://prod.westeurope.batch.azure.com")
    assert endpoint.cloud is cloud
    assert endpoint.account_name == "prod"


def test_each_cloud_has_its_own_audience_with_a_trailing_slash_and_its_own_authority() -> None:
    for cloud in (PUBLIC, CHINA, US_GOVERNMENT):
        assert cloud.scope.endswith("//.default")
        assert cloud.authority_host.startswith("https://login.")
    assert len({cloud.scope for cloud in (PUBLIC, CHINA, US_GOVERNMENT)}) == 3
    assert len({cloud.authority_host for cloud in (PUBLIC, CHINA, US_GOVERNMENT)}) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("http://prod.westeurope.batch.azure.com", "must begin with https", id="plain http"),
        pytest.param("ftp://prod.westeurope.batch.azure.com", "must begin with https", id="another scheme"),
        pytest.param("prod.westeurope.batch.azure.com", "must begin with https", id="no scheme"),
        pytest.param("https://evil.example.com", "no Batch account", id="a host elsewhere"),
        pytest.param("https://batch.azure.com", "no Batch account", id="the suffix without an account"),
        pytest.param("https://evilbatch.azure.com", "no Batch account", id="a suffix not at a label border"),
        pytest.param("https://prod.batch.azure.com.evil.com", "no Batch account", id="the suffix in the middle"),
        pytest.param("https://prod.batch.azure.com.", "no valid host", id="a root dot"),
        pytest.param("https://prod.batch.azure.com@evil.com", "user name", id="the suffix as a user name"),
        pytest.param("https://user:pw@prod.batch.azure.com", "user name", id="credentials in the URL"),
        pytest.param("https://prod.batch.azure.com/pools", "without path", id="a path"),
        pytest.param("https://prod.batch.azure.com?a=b", "without path", id="a query"),
        pytest.param("https://prod.batch.azure.com?", "without path", id="an empty query"),
        pytest.param("https://prod.batch.azure.com#x", "without path", id="a fragment"),
        pytest.param("https://prod.batch.azure.com:0", "no valid port", id="port 0"),
        pytest.param("https://prod.batch.azure.com:99999", "not a URL", id="a port too high"),
        pytest.param("https://[::1", "not a URL", id="a broken IPv6 literal"),
        pytest.param("https://prod.batch.azure.com\t", "white space", id="a tab, which URL parsers drop"),
        pytest.param("https://evil.com\\.batch.azure.com", "no valid host", id="a backslash, which browsers turn"),
        pytest.param("https://pröd.batch.azure.com", "no valid host", id="letters beyond ASCII"),
        pytest.param("https://", "no valid host", id="no host"),
        pytest.param("https://127.0.0.1:8443", "no Batch account", id="loopback is not allowed unasked"),
        pytest.param("", "must begin with https", id="nothing"),
    ],
)
def test_other_endpoints_are_refused_with_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(EndpointNotAllowedError, match=says):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("text", "allow", "host"),
    [
        pytest.param("https://a.batch.corp.example", ["corp.example"], "a.batch.corp.example", id="below a suffix"),
        pytest.param("https://a.corp.example", [".Corp.Example"], "a.corp.example", id="however the suffix is written"),
        pytest.param("https://127.0.0.1:8443", ["127.0.0.1"], "127.0.0.1", id="an address as a whole"),
        pytest.param("http://127.0.0.1:8080", ["127.0.0.1"], "127.0.0.1", id="http on loopback"),
        pytest.param("http://[::1]:8080", ["::1"], "::1", id="http on IPv6 loopback"),
        pytest.param("http://localhost:8080", ["localhost"], "localhost", id="http on localhost"),
    ],
)
def test_suffixes_the_operator_was_started_with_are_allowed(text: str, allow: list[str], host: str) -> None:
    endpoint = parse_endpoint(text, allow_suffixes=allow)
    assert endpoint.host == host
    assert endpoint.url == text
    assert endpoint.cloud is PUBLIC


@pytest.mark.parametrize(
    ("text", "allow"),
    [
        pytest.param("https://10.127.0.0.1", ["127.0.0.1"], id="an address is no suffix"),
        pytest.param("https://evilcorp.example", ["corp.example"], id="a suffix begins at a label"),
        pytest.param("https://anything.example", [""], id="an empty suffix allows nothing"),
        pytest.param("https://anything.example", ["."], id="nor does a dot"),
        pytest.param("http://a.corp.example", ["corp.example"], id="an allowed suffix does not allow http"),
    ],
)
def test_an_allowed_suffix_allows_no_more_than_it_says(text: str, allow: list[str]) -> None:
    with pytest.raises(EndpointNotAllowedError):
        parse_endpoint(text, allow_suffixes=allow)


def test_a_refused_endpoint_with_a_password_does_not_show_it() -> None:
    with pytest.raises(EndpointNotAllowedError) as caught:
        parse_endpoint("https://user:hunter2@prod.batch.azure.com")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("link", "covered"),
    [
        pytest.param("https://prod.weu.batch.azure.com/pools?$skiptoken=1", True, id="the same host"),
        pytest.param("https://prod.weu.batch.azure.com:443/pools", True, id="the default port spelled out"),
        pytest.param("https://PROD.weu.batch.azure.com/pools", True, id="other letter case"),
        pytest.param("https://other.weu.batch.azure.com/pools", False, id="another account"),
        pytest.param("http://prod.weu.batch.azure.com/pools", False, id="a downgrade to http"),
        pytest.param("https://prod.weu.batch.azure.com:8443/pools", False, id="another port"),
        pytest.param("https://u@prod.weu.batch.azure.com/pools", False, id="a user name"),
        pytest.param("/pools?$skiptoken=1", False, id="a relative link"),
        pytest.param("https://[::1", False, id="no URL"),
    ],
)
def test_an_endpoint_covers_links_to_the_very_same_host_only(link: str, covered: bool) -> None:  # noqa: FBT001 a column
    assert parse_endpoint("https://prod.weu.batch.azure.com").covers(link) is covered


def test_loopback_is_decided_by_address_not_by_prefix() -> None:
    assert is_loopback("127.8.9.1")
    assert is_loopback("dev.localhost")
    assert not is_loopback("127.evil.com")
    assert not is_loopback("notlocalhost")
    assert not is_loopback("0.0.0.0")  # noqa: S104 nothing is bound here
