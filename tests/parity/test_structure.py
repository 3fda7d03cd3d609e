"""The CRDs are structural schemas that a real API server takes: typed, described, bounded, with rules it can afford.

`kube-apiserver` checks more (the estimated cost of rules above all): crds/README.md tells how to ask it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from kubeemulator.admission import schema_of as compiled
from kubeemulator.rules import RuleTree
from kubeemulator.validation import validate
from tests.parity.judges import definitions, schema_of

KINDS = sorted(definitions())
Node = tuple[str, dict[str, Any]]

FORBIDDEN_KEYWORDS = {"$ref", "uniqueItems", "definitions", "dependencies", "deprecated", "id", "patternProperties"}


def _nodes(schema: dict[str, Any], path: str = "") -> Iterator[Node]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from _nodes(child, f"{path}.{name}")
    for key, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield from _nodes(schema[key], f"{path}{suffix}")


NODES = [
    (f"{kind}{path}", schema)
    for kind in KINDS
    for path, schema in _nodes(schema_of(kind))
    if not path.startswith(".metadata")
]


def every_node(keyword: str = "type") -> pytest.MarkDecorator:
    """Run a test for every node of every schema that has the keyword."""
    found = [pytest.param(schema, id=name) for name, schema in NODES if keyword in schema]
    return pytest.mark.parametrize("schema", found)


@every_node()
def test_every_node_has_a_type_and_a_description_that_is_a_sentence(schema: dict[str, Any]) -> None:
    assert schema["type"] in {"object", "array", "string", "integer", "boolean"}
    assert schema["description"][0].isupper() or not schema["description"][0].isalpha()
    assert schema["description"].endswith(".")
    assert not FORBIDDEN_KEYWORDS & schema.keys()


@every_node()
def test_every_node_is_bounded(schema: dict[str, Any]) -> None:
    match schema["type"]:
        case "string":
            assert schema.keys() & {"maxLength", "enum", "format"}
        case "array":
            assert schema["maxItems"] > 0
            assert schema["x-kubernetes-list-type"] in {"atomic", "set", "map"}
        case "integer":
            assert schema["format"] in {"int32", "int64"}
        case "object":
            assert ("properties" in schema) != ("additionalProperties" in schema) or "metadata" in schema
            assert "additionalProperties" not in schema or schema["maxProperties"] > 0
        case _:
            assert schema["type"] == "boolean"


@every_node("pattern")
def test_patterns_match_whole_texts(schema: dict[str, Any]) -> None:
    assert schema["pattern"].startswith("^")
    assert schema["pattern"].endswith("$")


@every_node("x-kubernetes-list-map-keys")
def test_list_map_keys_are_required_or_defaulted_scalars(schema: dict[str, Any]) -> None:
    for key in schema["x-kubernetes-list-map-keys"]:
        assert schema["items"]["properties"][key]["type"] in {"string", "integer"}
        assert key in schema["items"]["required"]


@every_node("required")
def test_required_fields_exist_and_have_no_default(schema: dict[str, Any]) -> None:
    for name in schema["required"]:
        assert "default" not in schema["properties"][name]


@every_node("default")
def test_defaults_obey_their_own_schema_before_nested_defaults_are_filled_in(schema: dict[str, Any]) -> None:
    """A real server evaluates the rules on the bare default and refuses the definition when one fails."""
    assert list(validate(schema, schema["default"])) == []
    assert list(RuleTree(schema, is_resource=False).check(schema["default"])) == []


@every_node("x-kubernetes-validations")
def test_every_rule_says_what_to_do(schema: dict[str, Any]) -> None:
    for rule in schema["x-kubernetes-validations"]:
        assert rule["message"].strip()
        assert "\n" not in rule["message"]
        assert not rule["message"].endswith(".")


@every_node("x-kubernetes-validations")
def test_no_message_is_made_of_numbers(schema: dict[str, Any]) -> None:
    """The text of a number has no known length: a real server refuses the message as too costly."""
    for rule in schema["x-kubernetes-validations"]:
        assert "string(" not in rule.get("messageExpression", "")


@pytest.mark.parametrize("kind", KINDS)
def test_rules_compile(kind: str) -> None:
    schema = compiled(definitions()[kind], "v1alpha1")

    assert schema.shape({"apiVersion": "batchaccess.dev/v1alpha1", "kind": kind})[1] == ()


@pytest.mark.parametrize("kind", KINDS)
def test_columns_show_fields_that_exist_with_their_type(kind: str) -> None:
    (version,) = definitions()[kind]["spec"]["versions"]
    schema = schema_of(kind)
    for column in version["additionalPrinterColumns"]:
        assert column["description"].endswith(".")
        path = column["jsonPath"].split("[?")[0].removeprefix(".").split(".")
        if path[0] == "metadata":
            assert column["type"] == "date"
            continue
        node = schema
        for part in path:
            node = node["properties"][part]
        if "[?" in column["jsonPath"]:
            assert node["items"]["properties"][column["jsonPath"].rpartition(".")[2]]["type"] == column["type"]
        else:
            assert column["type"] in {node["type"], {"date-time": "date"}.get(node.get("format", ""))}


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_those_of_the_design(kind: str) -> None:
    spec = definitions()[kind]["spec"]
    short = {"BatchAccountConnection": "bac", "BatchPoolAccessPolicy": "bpap", "BatchPoolAccess": "bpa"}

    assert definitions()[kind]["metadata"]["name"] == f"{spec['names']['plural']}.batchaccess.dev"
    assert spec["names"]["shortNames"] == [short[kind]]
    assert spec["names"]["categories"] == ["batch"]
    assert spec["scope"] == ("Namespaced" if kind == "BatchPoolAccessPolicy" else "Cluster")
    assert spec["versions"][0]["subresources"] == {"status": {}}


def test_shared_parts_are_the_same_in_every_kind() -> None:
    statuses = [schema_of(kind)["properties"]["status"]["properties"] for kind in KINDS]
    conditions = [status["conditions"]["items"] for status in statuses]
    counts = [status["pools"]["properties"] for status in statuses if "pools" in status]

    assert all(each == conditions[0] for each in conditions)
    assert len(counts) == 2
    assert counts[0] == counts[1]
