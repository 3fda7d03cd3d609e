"""BatchAccountConnection objects from files; other objects of a stream are passed over."""

from batchaccess.api import Kind, parse_connection
from batchaccess.cli.inputs.files import NamedFile, UnreadableFileError, read_manifests
from batchaccess.cli.inputs.reading import Failure
from batchaccess.core.declared import AccountConnection
from batchaccess.ports import InvalidObject


def read_connections(path: str) -> tuple[list[AccountConnection], list[Failure]]:
    """Every connection of a YAML stream, and what is wrong with the others."""
    shown = NamedFile(name=None, path=path).shown
    try:
        documents = read_manifests(path)
    except UnreadableFileError as problem:
        return [], [Failure(source=shown, message=str(problem))]
    found: list[AccountConnection] = []
    failures: list[Failure] = []
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") != Kind.CONNECTION:
            continue
        parsed = parse_connection(document)
        if isinstance(parsed, InvalidObject):
            failures += [
                Failure(source=f"{shown}: {where or 'object'}", message=what) for where, what in parsed.problems
            ]
        else:
            found.append(parsed)
    if not found and not failures:
        failures.append(Failure(source=shown, message=f"holds no {Kind.CONNECTION}"))
    return found, failures
