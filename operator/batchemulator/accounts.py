"""Batch accounts of the emulator: their names and keys, and the fixed development account."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[a-z0-9]{3,24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One emulated account. The key is a secret in form only, yet kept out of `repr` as any key is."""

    name: str
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"account name {self.name!r} must be 3 to 24 lower-case letters or digits")
        try:
            base64.b64decode(self.key, validate=True)
        except binascii.Error as error:
            raise ValueError(f"the key of account {self.name!r} is not base64") from error

    @classmethod
    def parse(cls, text: str) -> Account:
        """An account from `NAME:BASE64KEY`.

        Raises:
            ValueError: `text` has another form.
        """
        name, separator, key = text.partition(":")
        if not separator or not key:
            raise ValueError(f"{text!r} is not NAME:BASE64KEY")
        return cls(name=name, key=key)


DEV_ACCOUNT = Account(
    name="devaccount",
    key="YmF0Y2hhY2Nlc3MtZW11bGF0b3ItZGV2ZWxvcG1lbnQta2V5LW5vdC1hLXNlY3JldC0wMQ==",
)
"""The account an emulator has when told nothing else; its key is public, documented and worth nothing."""
