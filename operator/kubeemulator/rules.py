"""The CEL validation rules of a schema, at every level of it, and what they say of a value.

Reference: Kubernetes documentation "Validation rules": `message`, `messageExpression`, `reason`, `fieldPath`.
Transition rules run only where the old value is known, and entries of list maps are matched by their keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from kubeemulator.cel import CelError, Program, compile_expression, resource_schema
from kubeemulator.cellibrary import cel
from kubeemulator.fielderrors import FieldError, Reason, shown
from kubeemulator.jsontypes import MISSING, JsonObject, JsonValue, list_at, object_at, same_json
from kubeemulator.structural import EMBEDDED, RULES, correlated_items

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERBS: Final = {
    Reason.INVALID: "Invalid value",
    Reason.FORBIDDEN: "Forbidden",
    Reason.REQUIRED: "Required value",
    Reason.DUPLICATE: "Duplicate value",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One compiled entry of `x-kubernetes-validations`."""

    spec: JsonObject
    condition: Program
    worded: Program | None
    """The compiled `messageExpression`."""

    def check(self, value: JsonValue, old: JsonValue, path: str, shape: str) -> FieldError | None:
        """The error of a value, or None when the rule holds or does not apply."""
        if self.condition.uses_old and old is MISSING:
            return None
        if not self.condition.uses_old and old is not MISSING and same_json(value, old):
            return None
        try:
            if self.condition.run(value, old) is True:
                return None
        except CelError as error:
            return self._error(path, shape, f"{error} evaluating rule: {self._title}")
        return self._error(path + str(self.spec.get("fieldPath", "")), shape, self._wording(value, old))

    @property
    def _title(self) -> str:
        return str(self.spec.get("message") or self.spec["rule"]).strip()

    def _wording(self, value: JsonValue, old: JsonValue) -> str:
        fallback = str(self.spec.get("message") or f"failed rule: {self.spec['rule']}").strip()
        if self.worded is None or (self.worded.uses_old and old is MISSING):
            return fallback
        try:
            text = self.worded.run(value, old)
        except CelError:
            return fallback
        return text if isinstance(text, str) and text.strip() and "\n" not in text else fallback

    def _error(self, path: str, shape: str, detail: str) -> FieldError:
        reason = Reason(self.spec.get("reason", Reason.INVALID))
        verb = _VERBS[reason]
        with_value = reason in {Reason.INVALID, Reason.DUPLICATE}
        message = f"{verb}: {shown(shape)}: {detail}" if with_value else f"{verb}: {detail}"
        return FieldError(field=path.lstrip(".") or "<nil>", message=message, reason=reason)


class RuleTree:
    """The rules of a schema node and of everything below it; branches without rules are left out."""

    def __init__(self, schema: JsonObject, *, is_resource: bool) -> None:
        self._schema = schema
        self._is_resource = is_resource or bool(schema.get(EMBEDDED))
        self._shape = str(schema.get("type", "object"))
        self._properties = {
            key: tree
            for key, child in object_at(schema, "properties").items()
            if (tree := RuleTree(child, is_resource=False)).has_rules
        }
        self._entries = self._subtree("additionalProperties")
        self._items = self._subtree("items")

    def _subtree(self, key: str) -> RuleTree | None:
        child = self._schema.get(key)
        if not isinstance(child, dict):
            return None
        tree = RuleTree(child, is_resource=False)
        return tree if tree.has_rules else None

    @property
    def has_rules(self) -> bool:
        """Whether there is any rule here or below."""
        return bool(list_at(self._schema, RULES) or self._properties or self._entries or self._items)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of this very node.

        Raises:
            CelError: A rule does not compile.
        """
        return tuple(compile_rule(spec, self._schema, is_resource=self._is_resource) for spec in self._specs)

    @property
    def _specs(self) -> list[JsonObject]:
        return list_at(self._schema, RULES)

    def check(self, value: JsonValue, old: JsonValue = MISSING, path: str = "") -> Iterator[FieldError]:
        """Every error of the value against the rules here and below."""
        if value is None:
            return
        for rule in self.rules:
            error = rule.check(value, old, path, self._shape)
            if error is not None:
                yield error
        if isinstance(value, list) and self._items is not None:
            for index, (item, old_item) in enumerate(correlated_items(self._schema, value, old)):
                yield from self._items.check(item, old_item, f"{path}[{index}]")
        if isinstance(value, dict):
            for key, child in value.items():
                tree = self._properties.get(key, self._entries)
                if tree is not None:
                    old_child = old.get(key, MISSING) if isinstance(old, dict) else MISSING
                    yield from tree.check(child, old_child, f"{path}.{key}" if path else key)


def compile_rule(spec: JsonObject, schema: JsonObject, *, is_resource: bool) -> Rule:
    """One entry of `x-kubernetes-validations`, compiled.

    Raises:
        CelError: The rule or its message expression does not compile.
    """
    seen = resource_schema(schema) if is_resource else schema
    message = spec.get("messageExpression")
    return Rule(
        spec=spec,
        condition=compile_expression(str(spec.get("rule", "")), seen),
        worded=compile_expression(str(message), seen, returns=cel.Type.STRING) if message else None,
    )
