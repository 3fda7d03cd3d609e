"""Imported policies as YAML with comments, or as JSON that kubectl takes."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from batchaccess.cli.import_.policies import ImportedPolicy


def as_yaml(policies: Sequence[ImportedPolicy]) -> str:
    """A YAML stream; what a policy cannot say is a comment on top of it."""
    return "---\n".join("".join(_with_comments(policy)) for policy in policies)


def _with_comments(policy: ImportedPolicy) -> Iterator[str]:
    yield f"# Declares what pool {policy.pool_id} of account {policy.account} has; mode Audit only reports.\n"
    for told in unsaid(policy):
        yield f"# Note: {told}.\n"
    yield yaml.dump(
        dict(policy.manifest),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )


def unsaid(policy: ImportedPolicy) -> Iterator[str]:
    """What the policy does not declare, and what else to know, each in a clause."""
    for omission in policy.omissions:
        yield f"not declared: {omission.what}, since {omission.why}"
    yield from policy.remarks


def as_document(policies: Sequence[ImportedPolicy]) -> dict[str, Any]:
    """One policy itself, several as a List."""
    manifests = [dict(policy.manifest) for policy in policies]
    return manifests[0] if len(manifests) == 1 else {"apiVersion": "v1", "kind": "List", "items": manifests}


class _Dumper(yaml.SafeDumper):
    """Lists indented below their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 PyYAML's signature
        super().increase_indent(flow, indentless=False)
