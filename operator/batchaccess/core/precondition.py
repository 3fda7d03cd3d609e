"""Which spelling of If-Match an account understands.

The service returns eTags without quotes, HTTP (RFC 9110) and azure-batch send them with quotes, and no recorded request
shows which the service takes. So the quoted form is sent; a just-read eTag refused twice running is sent unquoted once.
Whichever was accepted is remembered for the connection. An unconditional write is never made.
"""

from dataclasses import dataclass
from enum import StrEnum


class ETagForm(StrEnum):
    """Spellings of an eTag in If-Match."""

    QUOTED = "Quoted"
    BARE = "Bare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """What is known of one connection; `proven` once a conditional write in `form` was accepted."""

    form: ETagForm = ETagForm.QUOTED
    proven: bool = False

    def form_to_send(self, *, bare_trial: bool) -> ETagForm:
        """The spelling for the next write; `bare_trial` is the pool's (see `PoolMemory` and `SagaMemory`)."""
        return ETagForm.BARE if bare_trial and not self.proven else self.form

    def accepted(self, form: ETagForm) -> "Precondition":
        """After a conditional write in this form was accepted; the same object if that is known."""
        return self if self.proven and self.form is form else Precondition(form=form, proven=True)


UNPROVEN = Precondition()
