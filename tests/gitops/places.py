"""Where the files under test are, and what they hold."""

from typing import Any, Final

import yaml

from batchaccess.api import GROUP, Kind
from tests.gitops import connectionrows, policyrows, poolrows
from tests.gitops.rows import Row
from tests.support.kube import ROOT

GITOPS: Final = ROOT / "deploy" / "gitops"
CUSTOMIZATIONS: Final = GITOPS / "argocd" / "resource_customizations" / GROUP

ROWS: Final[dict[Kind, tuple[Row, ...]]] = {
    Kind.CONNECTION: connectionrows.ROWS,
    Kind.POLICY: policyrows.ROWS,
    Kind.POOL_ACCESS: poolrows.ROWS,
}
CASES: Final = [(kind, row) for kind, rows in ROWS.items() for row in rows]
NAMES: Final = [f"{kind}: {row.id}" for kind, row in CASES]


def health_script(kind: Kind) -> str:
    """The text of a kind's health.lua."""
    return (CUSTOMIZATIONS / kind / "health.lua").read_text(encoding="utf-8")


def flux_expressions(kind: Kind) -> dict[str, str]:
    """What a Flux Kustomization asks of a kind."""
    text = (GITOPS / "flux" / "kustomization.flux.yaml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = yaml.safe_load(text)["spec"]["healthCheckExprs"]
    (entry,) = (each for each in entries if each["kind"] == kind)
    return {key: value for key, value in entry.items() if key not in ("apiVersion", "kind")}
