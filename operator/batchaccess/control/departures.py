"""Lets go of connections and policies that carry our finalizer though nobody looks after them any more.

A connection that was made invalid, or a duplicate, is not swept, so its sweep cannot let it go; a policy may have been
held by an operator that died in between. Without this, deleting one of them would hang for ever.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from batchaccess.control.duplicates import Assignment
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.ports import Finalizers
from batchaccess.sweep.accountsagas import release_policies
from batchaccess.sweep.sagabook import SagaRegister

_log = logging.getLogger(__name__)

_PERIOD_SECONDS: Final = 15


class Departures:
    """Looks for what is held in vain, from time to time."""

    def __init__(
        self,
        live: LiveCatalogue,
        finalizers: Finalizers,
        register: SagaRegister,
        assignment: Callable[[], Assignment],
    ) -> None:
        self._live = live
        self._finalizers = finalizers
        self._register = register
        self._assignment = assignment

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.release()
            except Exception:  # noqa: BLE001 whatever goes wrong here must not end the operator
                _log.exception("what is held in vain was not let go of")
            await asyncio.sleep(_PERIOD_SECONDS)

    async def release(self) -> None:
        """Let go of what is held in vain now."""
        swept = self._assignment().sweeping
        for entry in self._live.connections():
            if entry.stored.held and entry.stored.deleting and entry.stored.name not in swept:
                _log.error(
                    "connection %s is let go of though no sweep could bring its pools' scale back; their metadata has "
                    "the journals",
                    entry.stored.name,
                )
                await self._finalizers.release_connection(entry.stored.name)
        await release_policies(self._finalizers, self._register, list(swept))
