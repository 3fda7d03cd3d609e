"""`python -m tests.controlplane`: the e2e suite on every control plane that is found or built.

    python -m tests.controlplane              build what is missing, then run tests/e2e_cluster
    python -m tests.controlplane --only-build build what is missing
    python -m tests.controlplane -- -k story  anything after -- goes to pytest; `-n 0` for one test after the other

Ends 2 when there is no control plane and none can be built.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.controlplane.assets import NoControlPlaneError, all_assets
from tests.controlplane.handover import ASSETS_VARIABLE, as_json

_ROOT: Final = Path(__file__).parents[2]
_DEPLOY_TOOLS: Final = _ROOT / "scripts" / "install-deploy-tools.sh"
_WORKERS: Final = 4
_REMEDY: Final = """\
e2e: {problem}.
One of these helps:
  install Go 1.26 or later: then the control planes are built from the Go module proxy, once
  KUBEBUILDER_ASSETS=<folder with etcd and kube-apiserver>, as `setup-envtest use -p path` prints it
  BATCHACCESS_KUBECONFIG=<kubeconfig of a cluster for tests>: everything of batchaccess.dev in it is deleted, and what
    needs an API server to break is skipped
"""


def main(arguments: list[str]) -> int:
    """The exit status: pytest's own, or 2 without a control plane."""
    environment = dict(os.environ)
    if not os.environ.get("BATCHACCESS_KUBECONFIG"):
        try:
            assets = all_assets(_tell)
        except NoControlPlaneError as error:
            sys.stderr.write(_REMEDY.format(problem=error))
            return 2
        _tell(f"control planes: {', '.join(each.label for each in assets)}")
        environment[ASSETS_VARIABLE] = json.dumps([as_json(each) for each in assets])
        # What renders kustomizations looks for kubectl there, and a bare machine has none.
        environment["PATH"] = os.pathsep.join([environment.get("PATH", os.defpath), str(assets[-1].kubectl.parent)])
        if not _has_deploy_tools():
            return 2
    if "--only-build" in arguments:
        return 0
    given = [each for each in arguments if each != "--"]
    paths = [] if any(not each.startswith("-") and Path(each).exists() for each in given) else ["tests/e2e_cluster"]
    # The tests mostly wait: for sweeps, for back-offs, for controllers.
    command = [sys.executable, "-m", "pytest", f"--numprocesses={_WORKERS}", "--dist=loadgroup", *paths, *given]
    return subprocess.run(command, cwd=_ROOT, env=environment, check=False).returncode


def _has_deploy_tools() -> bool:
    """helm and the rest, which the script builds with Go once; it says itself what it lacks."""
    return (
        shutil.which("helm") is not None
        or subprocess.run([_DEPLOY_TOOLS], stdout=sys.stderr, check=False).returncode == 0
    )


def _tell(text: str) -> None:
    sys.stderr.write(f"e2e: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
