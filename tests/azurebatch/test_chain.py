"""Reading as a person or a pipeline: the default chain in place of the identities of a cluster."""

from dataclasses import replace
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from batchaccess.azurebatch import chain
from batchaccess.azurebatch.chain import connect_default
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.core.declared import Auth, AuthType
from batchaccess.ports import PortError
from batchemulator import DEV_ACCOUNT, running
from tests.azurebatch.accounts import Secrets, SteppedClock, connection

SETTINGS = AdapterSettings(allow_endpoint_suffixes=("127.0.0.1",))


class FakeChain:
    """What azure-identity would try one after the other."""

    made: dict[str, Any]
    asked: list[str]
    refuses = False
    closed = False

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 azure-identity's signature
        type(self).made = options
        type(self).asked = []

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self._answer(scopes)
        return AccessToken("any-token", 2**40)

    async def get_token_info(self, *scopes: str, **_: object) -> AccessTokenInfo:
        self._answer(scopes)
        return AccessTokenInfo("any-token", 2**40)

    def _answer(self, scopes: tuple[str, ...]) -> None:
        if self.refuses:
            raise ClientAuthenticationError(message="Attempted credentials:\n\tAzureCliCredential: not installed")
        self.asked.extend(scopes)

    async def close(self) -> None:
        type(self).closed = True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeChain]:
    class Fresh(FakeChain):
        pass

    monkeypatch.setattr(chain, "DefaultAzureCredential", Fresh)
    return Fresh


@pytest.mark.parametrize("kind", [AuthType.WORKLOAD_IDENTITY, AuthType.MANAGED_IDENTITY])
async def test_identities_of_a_cluster_become_the_default_chain(kind: AuthType, fake: type[FakeChain]) -> None:
    auth = Auth(type=kind, client_id="11111111-2222-3333-4444-555555555555")
    async with running(pools={DEV_ACCOUNT.name: [{"id": "p"}]}) as emulator:
        pools = await connect_default(
            connection(emulator.url(), auth), secrets=Secrets(), settings=SETTINGS, clock=SteppedClock()
        )
        assert [each.pool.id for each in (await pools.survey()).pools] == ["p"]
        await pools.close()
    assert fake.asked == ["https://batch.core.windows.net//.default"]
    assert fake.made["authority"] == "https://login.microsoftonline.com"
    assert fake.made["managed_identity_client_id"] == fake.made["workload_identity_client_id"] == auth.client_id
    assert fake.closed


async def test_the_cloud_of_the_account_decides_who_issues_tokens(fake: type[FakeChain]) -> None:
    declared = connection("https://acct.chinaeast2.batch.chinacloudapi.cn", Auth(type=AuthType.WORKLOAD_IDENTITY))
    pools = await connect_default(declared, secrets=Secrets(), settings=SETTINGS, clock=SteppedClock())
    await pools.close()
    assert fake.made == {"authority": "https://login.chinacloudapi.cn"}


async def test_no_token_is_one_line_that_says_what_to_do(fake: type[FakeChain]) -> None:
    fake.refuses = True
    async with running() as emulator:
        pools = await connect_default(
            connection(emulator.url(), Auth(type=AuthType.WORKLOAD_IDENTITY)),
            secrets=Secrets(),
            settings=SETTINGS,
            clock=SteppedClock(),
        )
        with pytest.raises(PortError, match="no identity gave a token: run `az login`") as refused:
            await pools.survey()
        await pools.close()
    assert refused.value.code == "NoCredential"
    assert "\n" not in refused.value.message


async def test_types_with_a_secret_stay_as_declared(fake: type[FakeChain]) -> None:
    async with running(pools={DEV_ACCOUNT.name: [{"id": "p"}]}) as emulator:
        secrets = Secrets({("prod", "value"): f"{DEV_ACCOUNT.name}:{DEV_ACCOUNT.key}"})
        pools = await connect_default(
            connection(emulator.url()), secrets=secrets, settings=SETTINGS, clock=SteppedClock()
        )
        assert len((await pools.survey()).pools) == 1
        await pools.close()
    assert not hasattr(fake, "made")


@pytest.mark.parametrize("endpoint", ["https://example.com", "http://acct.weu.batch.azure.com"])
async def test_nothing_is_sent_to_a_host_that_is_not_allowed(endpoint: str, fake: type[FakeChain]) -> None:
    declared = replace(connection("https://a.weu.batch.azure.com"), endpoint=endpoint)
    with pytest.raises(PortError) as refused:
        await connect_default(declared, secrets=Secrets(), settings=SETTINGS, clock=SteppedClock())
    assert refused.value.code == "EndpointNotAllowed"
    assert not hasattr(fake, "made")


async def test_an_unreadable_certificate_file_is_told() -> None:
    settings = AdapterSettings(ca_file="missing.pem")
    with pytest.raises(PortError, match="the certificate file cannot be read: No such file"):
        await connect_default(
            connection("https://a.weu.batch.azure.com"), secrets=Secrets(), settings=settings, clock=SteppedClock()
        )
