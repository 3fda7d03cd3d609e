"""From `-f FILE|DIR|-` to objects: every file, every document, every item of a List."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from batchaccess.cli.inputs.files import STDIN, NamedFile, UnreadableFileError, read_bytes
from batchaccess.cli.manifests import checks
from batchaccess.cli.manifests.checks import Mistake, Weight
from batchaccess.cli.manifests.documents import Document, MalformedYamlError, read_documents

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
_DEEPEST_LIST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One object, whatever its kind, and where it stands."""

    file: str
    document: Document

    @property
    def content(self) -> Mapping[str, Any]:
        """The object as JSON would hold it."""
        content: Mapping[str, Any] = self.document.content
        return content

    @property
    def kind(self) -> str:
        """Its kind, empty if it does not say."""
        return _text(self.content.get("kind"))

    @property
    def group(self) -> str:
        """The group of its apiVersion; empty for the core API and if it does not say."""
        group, slash, _ = _text(self.content.get("apiVersion")).partition("/")
        return group if slash else ""

    @property
    def subject(self) -> str:
        """As people name it: `BatchPoolAccessPolicy render/ssh`."""
        metadata = self.content.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        name, namespace = _text(metadata.get("name")) or "without a name", _text(metadata.get("namespace"))
        return f"{self.kind or 'object'} {namespace}/{name}" if namespace else f"{self.kind or 'object'} {name}"

    def mistake(self, check: checks.Check, path: str, message: str, weight: Weight = Weight.ERROR) -> Mistake:
        """Something wrong with a field of it."""
        return Mistake(
            check=check,
            weight=weight,
            file=self.file,
            line=self.document.line(path),
            subject=self.subject,
            path=path,
            message=message,
        )


def _text(value: Any) -> str:  # noqa: ANN401 any JSON
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFiles:
    """Everything that was named with -f. `manifests` are in the order of the files, and within them as they stand."""

    manifests: tuple[Manifest, ...]
    mistakes: tuple[Mistake, ...]
    files: int


def read_manifest_files(names: tuple[str, ...]) -> ManifestFiles:
    """Read files, directories with all below them, and stdin for `-`. Never raises: problems are mistakes."""
    manifests: list[Manifest] = []
    mistakes: list[Mistake] = []
    files = 0
    for path in _paths(names, mistakes):
        files += 1
        for found in _read(path):
            if isinstance(found, Mistake):
                mistakes.append(found)
            else:
                manifests.append(found)
    return ManifestFiles(manifests=tuple(manifests), mistakes=tuple(mistakes), files=files)


def _paths(names: tuple[str, ...], mistakes: list[Mistake]) -> Iterator[str]:
    """Each file once, those of a directory by name; hidden ones are left out."""
    seen: set[str] = set()
    for name in names:
        found = list(_below(name)) if name != STDIN and Path(name).is_dir() else [name]
        if not found:
            mistakes.append(_unreadable(name, None, f"holds no file that ends in {', '.join(sorted(_SUFFIXES))}"))
        for path in found:
            if path not in seen:
                seen.add(path)
                yield path


def _below(directory: str) -> Iterator[str]:
    for place, directories, files in os.walk(directory):
        directories[:] = sorted(each for each in directories if not each.startswith("."))
        for file in sorted(files):
            if Path(file).suffix.lower() in _SUFFIXES and not file.startswith("."):
                yield str(Path(place, file))


def _read(path: str) -> Iterator[Manifest | Mistake]:
    shown = NamedFile(name=None, path=path).shown
    try:
        for document in read_documents(read_bytes(path)):
            yield from _objects(shown, document, 0)
    except UnreadableFileError as problem:
        yield _unreadable(shown, None, str(problem))
    except MalformedYamlError as problem:
        yield _unreadable(shown, problem.line, str(problem))


def _unreadable(file: str, line: int | None, message: str) -> Mistake:
    return Mistake(check=checks.UNREADABLE, weight=Weight.ERROR, file=file, line=line, message=message)


def _objects(file: str, document: Document, depth: int) -> Iterator[Manifest]:
    """The object of a document, or the items of a List as `kubectl get -o yaml` writes it; what is neither has none."""
    if not isinstance(document.content, Mapping):
        return
    items = document.content.get("items")
    if isinstance(items, list) and _text(document.content.get("kind")).endswith("List") and depth < _DEEPEST_LIST:
        for index in range(len(items)):
            yield from _objects(file, document.item(f"items[{index}]"), depth + 1)
    else:
        yield Manifest(file=file, document=document)
