"""Pools, nodes and connections from files and stdin. Every problem names the file and what would be right."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from batchaccess.azurebatch.saved import SavedPoolsError
from batchaccess.azurebatch.survey import SurveyedPool, saved_node_findings, survey_saved
from batchaccess.cli.inputs.reading import Failure, ReadAccount, Reading, ReadPool
from batchaccess.core.model import NodeFindings

STDIN: Final = "-"
_YAML_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK: Final = b"\xef\xbb\xbf"


class UnreadableFileError(Exception):
    """A file that cannot be used; the text says why and what was expected, without the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file with the account or pool it is said to belong to, as in `prodbatch=pools.json`."""

    name: str | None
    path: str

    @classmethod
    def parse(cls, text: str) -> "NamedFile":
        """`NAME=PATH`, or a path alone; what exists as a path is one, equals sign and all."""
        name, equals, path = text.partition("=")
        if not equals or not name or "/" in name or Path(text).exists():
            return cls(name=None, path=text)
        return cls(name=name, path=path)

    @property
    def shown(self) -> str:
        """The file as messages name it."""
        return "stdin" if self.path == STDIN else self.path


def read_bytes(path: str) -> bytes:
    """The content of a file, or of stdin for `-`, in UTF-8 whatever a shell made of it.

    Raises:
        UnreadableFileError: it cannot be read.
    """
    try:
        content = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}") from None
    if content.startswith(_UTF16_MARKS):
        # PowerShell 5 writes what is redirected with > in UTF-16.
        try:
            return content.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise UnreadableFileError("is neither UTF-8 nor UTF-16 text") from None
    return content.removeprefix(_UTF8_MARK)


def read_document(path: str) -> Any:  # noqa: ANN401 whatever the file holds
    """The JSON document of a file, or the YAML document of one named so.

    Raises:
        UnreadableFileError: it cannot be read or parsed.
    """
    content = read_bytes(path)
    if not content.strip():
        raise UnreadableFileError("is empty: the command that wrote it probably failed")
    if Path(path).suffix.lower() in _YAML_SUFFIXES:
        return _yaml(content)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        if content.lstrip()[:1] not in {b"[", b"{"}:
            raise UnreadableFileError(
                f"is not JSON ({place}); save pools with `az batch pool list -o json > pools.json`"
            ) from None
        raise UnreadableFileError(f"is not valid JSON: {error.msg} at {place}") from None


def _yaml(content: bytes) -> Any:  # noqa: ANN401 whatever the file holds
    try:
        # Through JSON, so that times stay the texts they are everywhere else.
        return json.loads(json.dumps(yaml.load(content, Loader=yaml.CSafeLoader), default=str))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"is not valid YAML: {' '.join(str(error).split())}") from None


def read_pool_file(file: NamedFile, nodes: Mapping[str, Any]) -> Reading:
    """The pools of one file by account: the account that it is said to belong to, or that each pool's own text names.

    Args:
        file: the file.
        nodes: saved node listings by pool id.
    """
    try:
        survey = survey_saved(read_document(file.path))
    except (UnreadableFileError, SavedPoolsError) as problem:
        return Reading(failures=(Failure(source=file.shown, message=str(problem)),))
    otherwise = "stdin" if file.path == STDIN else Path(file.path).stem
    by_account: dict[str, list[ReadPool]] = {}
    failures: list[Failure] = []
    for surveyed in survey.pools:
        try:
            found = _findings(surveyed, nodes)
        except SavedPoolsError as problem:
            found = None
            failures.append(Failure(source=f"nodes of pool {surveyed.pool.id}", message=str(problem)))
        read = ReadPool(pool=surveyed.pool, nodes=found, traits=surveyed.traits)
        by_account.setdefault(file.name or surveyed.account or otherwise, []).append(read)
    accounts = [
        ReadAccount(name=name, source=file.shown, pools=tuple(sorted(pools, key=lambda each: each.pool.id)))
        for name, pools in sorted(by_account.items())
    ]
    if survey.unreadable or not accounts:
        accounts = _with_unreadable(
            accounts, ReadAccount(name=file.name or otherwise, source=file.shown, unreadable=survey.unreadable)
        )
    return Reading(accounts=tuple(accounts), failures=tuple(failures))


def _with_unreadable(accounts: list[ReadAccount], extra: ReadAccount) -> list[ReadAccount]:
    """Unreadable pools go to the file's only account; else, as nobody knows whose they are, to one of their own."""
    if len(accounts) != 1:
        return [*accounts, extra]
    (only,) = accounts
    return [ReadAccount(name=only.name, source=only.source, pools=only.pools, unreadable=extra.unreadable)]


def _findings(surveyed: SurveyedPool, nodes: Mapping[str, Any]) -> NodeFindings | None:
    saved = nodes.get(surveyed.pool.id.lower())
    return surveyed.nodes if saved is None else saved_node_findings(saved, surveyed.pool)


def read_node_files(files: tuple[NamedFile, ...]) -> tuple[dict[str, Any], tuple[Failure, ...]]:
    """Saved node listings by the pool they are said to belong to, and those that cannot be used."""
    nodes: dict[str, Any] = {}
    failures: list[Failure] = []
    for file in files:
        if file.name is None:
            failures.append(Failure(source=file.shown, message="say whose nodes these are: --nodes POOL=FILE"))
            continue
        try:
            nodes[file.name.lower()] = read_document(file.path)
        except UnreadableFileError as problem:
            failures.append(Failure(source=file.shown, message=str(problem)))
    return nodes, tuple(failures)


def read_manifests(path: str) -> list[Any]:
    """Every document of a YAML (or JSON) stream that is not empty.

    Raises:
        UnreadableFileError: it cannot be read or parsed.
    """
    content = read_bytes(path)
    try:
        return [each for each in yaml.load_all(content, Loader=yaml.CSafeLoader) if each is not None]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"is not valid YAML: {' '.join(str(error).split())}") from None
