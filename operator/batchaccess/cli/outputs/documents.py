"""Answers for machines: one JSON or YAML document with a version, described in docs/schemas."""

from collections.abc import Mapping
from typing import Any, Final

import click
import orjson
import yaml

REPORT_VERSION: Final = "batchaccess.dev/report/v1"
"""Within one version keys are only ever added."""


def report(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A document of ours: version and kind first, as in Kubernetes."""
    return {"apiVersion": REPORT_VERSION, "kind": kind, **body}


def write_document(document: Mapping[str, Any], *, as_yaml: bool) -> None:
    """Print a document on stdout."""
    if as_yaml:
        click.echo(
            yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120), nl=False
        )
        return
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
