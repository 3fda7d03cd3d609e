"""Identities that the server hands out."""

import uuid


def new_uid() -> str:
    """A fresh uid for an object."""
    return str(uuid.uuid4())
