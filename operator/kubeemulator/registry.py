"""What is served at the moment: the built-in resources and those of the registered definitions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kubeemulator.builtin import BUILTIN
from kubeemulator.crds import resources_of

if TYPE_CHECKING:
    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource

_VERSION: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


class Registry:
    """The served resources, found by group, version and plural."""

    def __init__(self) -> None:
        self._builtin = {(resource.group, resource.version, resource.plural): resource for resource in BUILTIN}
        self._custom: dict[str, tuple[Resource, ...]] = {}
        self.generation = 0
        """Counts registrations, so that derived documents can be cached."""

    def register(self, definition: JsonObject) -> None:
        """Serve a definition, in place of an older one of its name."""
        self._custom[definition["metadata"]["name"]] = tuple(resources_of(definition))
        self.generation += 1

    def unregister(self, name: str) -> None:
        """Stop serving a definition."""
        self._custom.pop(name, None)
        self.generation += 1

    def all(self) -> list[Resource]:
        """Everything served, the built-in resources first."""
        custom = [resource for name in sorted(self._custom) for resource in self._custom[name]]
        return [*self._builtin.values(), *custom]

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource, or None."""
        found = self._builtin.get((group, version, plural))
        if found is not None:
            return found
        return next(
            (
                resource
                for resource in self._custom.get(f"{plural}.{group}", ())
                if resource.version == version and resource.group == group
            ),
            None,
        )

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of a kind, or None."""
        return next((found for found in self.all() if (found.api_version, found.kind) == (api_version, kind)), None)

    def of_storage(self, bucket: str) -> Resource | None:
        """The resource whose objects a bucket holds, in its preferred version."""
        found = [resource for resource in self.all() if resource.storage == bucket]
        return min(found, key=lambda resource: version_rank(resource.version)) if found else None

    def versions(self, group: str) -> list[str]:
        """The served versions of a group, the preferred one first."""
        return sorted({resource.version for resource in self.all() if resource.group == group}, key=version_rank)

    def groups(self) -> list[str]:
        """The served groups, the core group left out."""
        return list(dict.fromkeys(resource.group for resource in self.all() if resource.group))


def version_rank(version: str) -> tuple[int, int, int]:
    """Where a version stands: v2 before v1 before v1beta1 before v1alpha1 (Kubernetes' version priority)."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (3, 0, 0)
    stage = {None: 0, "beta": 1, "alpha": 2}[found[2]]
    return (stage, -int(found[1]), -int(found[3] or 0))
