"""YAML streams with the line of every field, so that whatever is wrong can be pointed at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_MOST_VALUES: Final = 500_000
"""Values of one stream, aliases expanded: an alias in an alias in an alias soon exceeds any memory."""

_DEEPEST: Final = 100


class MalformedYamlError(Exception):
    """A stream that is no YAML from `line` on; the text says why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a stream.

    Attributes:
        content: as JSON would hold it; times stay texts.
        lines: the line of every field and list item by its path, such as `spec.pools.ids[0]`; the whole is at "".
        repeated: path and line of keys that stand twice in one mapping, of which YAML silently takes the last.
    """

    content: Any
    lines: Mapping[str, int]
    repeated: tuple[tuple[str, int], ...] = ()

    def line(self, path: str) -> int:
        """The line of a field; of what contains it where the field itself is missing."""
        while path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines[path]

    def item(self, path: str) -> "Document":
        """The document that stands at a path of this one, as the items of a List do."""
        content = self.content
        for part in path.replace("]", "").replace("[", ".").split("."):
            content = content[int(part)] if isinstance(content, list) else content[part]
        lines = {
            each[len(path) :].removeprefix("."): line
            for each, line in self.lines.items()
            if each == path or each.startswith((f"{path}.", f"{path}["))
        }
        repeated = tuple(
            (each[len(path) + 1 :], line) for each, line in self.repeated if each.startswith((f"{path}.", f"{path}["))
        )
        return Document(content=content, lines=lines, repeated=repeated)


class _Loader(yaml.CSafeLoader):
    """Safe YAML whose times stay texts, as they are in JSON."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {  # noqa: RUF012 the attribute that PyYAML looks at
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def read_documents(content: bytes) -> Iterator[Document]:
    """Every document of a stream that is not empty, as long as it is YAML.

    Raises:
        MalformedYamlError: where it ceases to be; what came before has been yielded by then.
    """
    try:
        loader = _Loader(content)
        try:
            budget = _MOST_VALUES
            while loader.check_node():
                builder = _Builder(loader, budget)
                document = builder.build(_present(loader.get_node()))
                budget = builder.budget
                if document.content is not None:
                    yield document
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _malformed(error, content) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MalformedYamlError(1, f"is not valid YAML: {' '.join(str(error).split())}") from None


def _malformed(error: yaml.MarkedYAMLError, content: bytes) -> MalformedYamlError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    what = ", ".join(text for text in (error.context, error.problem) if text) or "no further text"
    hint = "; it looks like a template: render it first, as `helm template` does" if b"{{" in content else ""
    return MalformedYamlError(line, f"is not valid YAML: {what}{hint}")


class _Builder:
    """Turns the nodes of one document into values, and notes where each stands."""

    def __init__(self, loader: _Loader, budget: int) -> None:
        self._loader = loader
        self._lines: dict[str, int] = {}
        self._repeated: list[tuple[str, int]] = []
        self.budget = budget

    def build(self, node: yaml.Node) -> Document:
        content = self._value(node, "", _line(node), 0)
        return Document(content=content, lines=self._lines, repeated=tuple(self._repeated))

    def _value(self, node: yaml.Node, path: str, line: int, depth: int) -> Any:  # noqa: ANN401 any YAML
        self.budget -= 1
        if self.budget < 0 or depth > _DEEPEST:
            raise MalformedYamlError(_line(node), "holds more than any manifest does: are its aliases meant?")
        self._lines[path] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self._value(each, f"{path}[{index}]", _line(each), depth + 1) for index, each in enumerate(node.value)
            ]
        return self._loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        self._note_repeated(node, path)
        self._loader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = _key(key)
            found[name] = self._value(value, _joined(path, name), _line(key), depth + 1)
        return found

    def _note_repeated(self, node: yaml.MappingNode, path: str) -> None:
        """Keys that stand twice, as written: what `<<` merges in may be overridden, that is what it is for."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = _key(key)
            if name in seen:
                self._repeated.append((_joined(path, name), _line(key)))
            seen.add(name)


def _present(node: yaml.Node | None) -> yaml.Node:
    """A node that `check_node` has promised."""
    if node is None:
        raise MalformedYamlError(1, "holds a document without content")
    return node


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise MalformedYamlError(_line(node), "has a key that is no text")
    return str(node.value)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
