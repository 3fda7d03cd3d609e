"""Sends conditional writes of one account in the spelling of If-Match that it understands."""

from collections.abc import Awaitable, Callable

from batchaccess.core.precondition import UNPROVEN, ETagForm, Precondition


class Preconditions:
    """What is known of If-Match on one account, learnt by the writes that were accepted."""

    def __init__(self) -> None:
        self.known: Precondition = UNPROVEN

    async def send(self, write: Callable[[bool], Awaitable[None]], *, bare_trial: bool) -> None:
        """Have `write` send its request, told whether to leave the quotes out; what it raises is passed on."""
        form = self.known.form_to_send(bare_trial=bare_trial)
        await write(form is ETagForm.BARE)
        self.known = self.known.accepted(form)
