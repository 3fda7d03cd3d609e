"""Runs a health.lua with Debian's Lua, given no more of Lua's libraries than Argo CD gives it."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

import pytest

from tests.gitops.rows import KubernetesObject

_PROGRAM: Final = """
for _, object in ipairs({objects}) do
local allowed = {{ipairs = ipairs, pairs = pairs, next = next, type = type, tostring = tostring, tonumber = tonumber,
  select = select, error = error, assert = assert, pcall = pcall, table = table, obj = object}}
local said = assert(load({script}, "health.lua", "t", allowed))()
assert(type(said) == "table", "it returned no table")
io.write(said.status, "\\n", said.message, "\\n")
end
"""


def lua() -> str:
    """The path of Lua; skips the test if it is absent, or fails it if BATCHACCESS_REQUIRE_TOOLS is 1."""
    path = shutil.which("lua5.4") or shutil.which("lua")
    if path:
        return path
    missing = "lua5.4 is not on PATH: run scripts/install-debian.sh lua5.4 lua5.4"
    if os.environ.get("BATCHACCESS_REQUIRE_TOOLS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def lua_health(script: str, objects: Sequence[KubernetesObject]) -> list[tuple[str, str]]:
    """Status and message that a health.lua returns for each object; messages are of one line."""
    program = _PROGRAM.format(objects=_literal(list(objects)), script=_literal(script))
    done = subprocess.run([lua(), "-"], input=program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return list(zip(lines[::2], lines[1::2], strict=True))


def _literal(value: object) -> str:
    """A JSON value as a Lua expression; strings byte by byte, since Lua knows no other escape that is always right."""
    match value:
        case None:
            return "nil"
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return '"' + "".join(f"\\{byte:03d}" for byte in value.encode()) + '"'
        case list():
            return "{" + ", ".join(map(_literal, value)) + "}"
        case dict():
            return "{" + ", ".join(f"[{_literal(key)}] = {_literal(child)}" for key, child in value.items()) + "}"
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON")
