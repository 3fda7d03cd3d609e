"""Write what is generated from code: docs/metrics.md, alert rules, dashboards.

Run from the repository's root: `python -m scripts.monitoring.generate`. With `--check` nothing is written and the exit
status is 1 if a file is not up to date.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from scripts.monitoring.dashboards import render_dashboards
from scripts.monitoring.metricsdoc import render_metrics_document
from scripts.monitoring.rules import render_prometheus_rule, render_rules

ROOT = Path(__file__).resolve().parents[2]


def rendered() -> Mapping[Path, str]:
    """The content of every generated file."""
    monitoring = ROOT / "deploy" / "monitoring"
    return {
        ROOT / "docs" / "metrics.md": render_metrics_document(),
        monitoring / "alerts.yaml": render_rules(),
        monitoring / "prometheusrule.yaml": render_prometheus_rule(),
        **{monitoring / "dashboards" / name: text for name, text in render_dashboards().items()},
    }


def outdated() -> list[Path]:
    """The files whose content is not what the code says."""
    return [path for path, text in rendered().items() if not path.exists() or path.read_text("utf-8") != text]


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Only compare.")
def main(*, check: bool) -> None:
    """Write or compare the generated files."""
    changed = outdated()
    for path in changed:
        click.echo(f"{'not up to date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rendered()[path], "utf-8")
    sys.exit(1 if check and changed else 0)


if __name__ == "__main__":
    main()
