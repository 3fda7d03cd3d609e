"""The alerts as files: plain Prometheus rules, a PrometheusRule of the Prometheus operator, inhibition hints."""

from typing import Any, Final

import yaml

from scripts.monitoring.alerts import Alert, Group
from scripts.monitoring.correctionalerts import CORRECTION
from scripts.monitoring.exposurealerts import EXPOSURE
from scripts.monitoring.operatoralerts import OPERATOR
from scripts.monitoring.policyalerts import POLICIES
from scripts.monitoring.restarts import KEEP_FIRING
from scripts.monitoring.sagaalerts import REMEDIATION

GROUPS: Final = (EXPOSURE, CORRECTION, POLICIES, OPERATOR, REMEDIATION)

RUNBOOKS: Final = "docs/runbooks/"
"""Where the runbooks are in the source of this version; the file name follows.

Not an address: where an organisation reads its copy is not ours to know. Its value of the chart, or its overlay, puts
its own base in front (docs/monitoring.md).
"""

GENERATED: Final = "# Generated from the alerts in scripts/monitoring/ by `make generate`; edit there.\n"


def render_rules() -> str:
    """A rules file for `rule_files` of prometheus.yml."""
    return GENERATED + _dump({"groups": _groups()})


def render_prometheus_rule() -> str:
    """The same rules as an object of the Prometheus operator."""
    return GENERATED + _dump(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {
                "name": "batchaccess",
                "labels": {"app.kubernetes.io/name": "batchaccess", "app.kubernetes.io/component": "monitoring"},
            },
            "spec": {"groups": _groups()},
        }
    )


def _groups() -> list[dict[str, Any]]:
    return [_group(group) for group in GROUPS]


def _group(group: Group) -> dict[str, Any]:
    return {"name": group.name, "rules": [_rule(alert) for alert in group.alerts]}


def _rule(alert: Alert) -> dict[str, Any]:
    lasting = {} if alert.lasting == "0m" else {"for": alert.lasting}
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **lasting,
        "keep_firing_for": KEEP_FIRING,
        "labels": {"severity": alert.severity.value},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{RUNBOOKS}{alert.name}.md",
        },
    }


class _RulesDumper(yaml.SafeDumper):
    """Indents lists below their key and keeps expressions as they are written."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 the signature of its base
        """Indent lists too."""
        super().increase_indent(flow, indentless=False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_RulesDumper.add_representer(str, _represent_text)


def _dump(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_RulesDumper, sort_keys=False, explicit_start=True, width=100, allow_unicode=True)
