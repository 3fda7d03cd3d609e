"""A live account read with the wider selection of an audit; apart from `survey`, which needs no Azure SDK."""

from typing import Final
from urllib.parse import quote

from batchaccess.azurebatch.convert import POOL_KEYS
from batchaccess.azurebatch.pools import PAGE_SIZE, AzureBatchPools
from batchaccess.azurebatch.survey import Survey, survey_of
from batchaccess.azurebatch.traits import TRAIT_KEYS

_LIST: Final = {"$select": ",".join((*POOL_KEYS, *TRAIT_KEYS)), "maxresults": str(PAGE_SIZE)}
_LIST_TASKS: Final = {"$select": "id,runningTasksCount", "maxresults": str(PAGE_SIZE)}


class SurveyedAccount(AzureBatchPools):
    """The pools of a live account, which can also be read with their traits."""

    async def survey(self) -> Survey:
        """All pools, in one paged request."""
        return survey_of([(raw, str(raw.get("id", ""))) async for raw in self._elements("/pools", _LIST)])

    async def running_tasks(self, pool_id: str) -> int:
        """How many tasks run on the nodes of a pool now (REST "Node - List", `runningTasksCount`)."""
        nodes = self._elements(f"/pools/{quote(pool_id, safe='')}/nodes", _LIST_TASKS)
        counts = [node.get("runningTasksCount") async for node in nodes]
        return sum(count for count in counts if isinstance(count, int))
