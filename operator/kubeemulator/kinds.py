"""What the API serves: one resource type at one version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeemulator.admission import Schema
    from kubeemulator.jsontypes import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the tables that kubectl prints."""

    name: str
    cell: Callable[[JsonObject], JsonValue]
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    """0 is always shown, anything higher only with `-o wide`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource type at one version."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    singular: str = ""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    """Whether `status` is a subresource: ignored by the main endpoint, and the only thing its own one changes."""

    has_generation: bool = False
    schema: Schema | None = None
    """None for built-in kinds: they are plain storage, neither pruned nor validated."""

    columns: tuple[Column, ...] = ()
    selectable_fields: tuple[str, ...] = ()
    """Paths that field selectors may name beside `metadata.name` and `metadata.namespace`."""

    is_custom: bool = False
    bucket: str = ""
    """Where its objects are stored; shared by all versions of a resource, and by both event kinds."""

    write_only: bool = False
    """Whether it is a question (a review) instead of a stored thing."""

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name in error texts, such as `policies.demo.example.com`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def storage(self) -> str:
        """The bucket of the store that holds its objects."""
        return self.bucket or self.qualified

    @property
    def kind_of_list(self) -> str:
        """The kind of a list of its objects."""
        return self.list_kind or f"{self.kind}List"

    @property
    def singular_name(self) -> str:
        """The singular name, by default the kind in lower case."""
        return self.singular or self.kind.lower()
