"""A release and an overlay through their lives, object by object, on whatever API server is given."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.rendering import CHART, KUSTOMIZE, NAMESPACE, Manifest, chart, is_hook, kustomized, run_helm
from tests.support.kube import ROOT, connection_manifest, policy_manifest

PAIR: Final = "highAvailability.enabled=true"
"""The value that the upgrade changes: it changes objects, and brings three that were not there."""

_SECONDS: Final = 200
_PATIENCE: Final = "--timeout=150s"
"""For a namespace and its objects to go; on a busy machine an API server takes its time over definitions."""


class Server:
    """An API server and its administrator, with the tools that users have."""

    def __init__(self, kubeconfig: Path, kubectl: str = "kubectl") -> None:
        self.kubeconfig = kubeconfig
        self._kubectl = kubectl

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Standard output."""
        done = subprocess.run(
            [self._kubectl, f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def helm(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run helm in the operator's namespace."""
        return run_helm("--namespace", NAMESPACE, *arguments, kubeconfig=self.kubeconfig, check=check)

    def stored(self, manifest: Manifest) -> dict[str, Any] | None:
        """What the server has of an object; None if it has none."""
        group, _, version = manifest["apiVersion"].rpartition("/")
        kind = f"{manifest['kind']}.{version}.{group}" if group else manifest["kind"]
        namespace = manifest["metadata"].get("namespace", NAMESPACE)
        got = self.kubectl("get", kind, manifest["metadata"]["name"], "-n", namespace, "-o=json", "--ignore-not-found")
        found: dict[str, Any] | None = json.loads(got) if got else None
        return found

    def apply(self, *manifests: Manifest, flags: Sequence[str] = ()) -> str:
        """Server-side, as a user would."""
        return self.kubectl(
            "apply", "--server-side", *flags, "-f", "-", stdin="\n".join(json.dumps(each) for each in manifests)
        )


def holds(stored: Any, wanted: Any) -> bool:  # noqa: ANN401 any parts of two manifests
    """Whether everything wanted is stored; a server adds defaults of its own."""
    if isinstance(wanted, dict):
        return isinstance(stored, dict) and all(
            key in stored and holds(stored[key], value) for key, value in wanted.items() if value not in ({}, None)
        )
    if isinstance(wanted, list):
        return (
            isinstance(stored, list)
            and len(stored) == len(wanted)
            and all(holds(one, other) for one, other in zip(_ordered(stored), _ordered(wanted), strict=True))
        )
    return bool(stored == wanted)


def _ordered(items: list[Any]) -> list[Any]:
    """Lists by name, as those of environment variables, may come in any order."""
    return (
        sorted(items, key=lambda item: str(item.get("name", "")))
        if all(isinstance(each, dict) for each in items)
        else items
    )


def objects(*values: str, of: Path = CHART) -> list[Manifest]:
    """What a release leaves in the cluster: hooks come and go."""
    return [each for each in chart(*values, of=of) if not is_hook(each)]


def without_definitions(manifests: Sequence[Manifest]) -> list[Manifest]:
    """All but the CRDs, which stay when a release goes."""
    return [each for each in manifests if each["kind"] != "CustomResourceDefinition"]


def assert_there(server: Server, manifests: Sequence[Manifest]) -> None:
    """Every object is stored as it was rendered."""
    for manifest in manifests:
        wanted = {key: manifest[key] for key in manifest if key not in ("metadata", "apiVersion", "kind")}
        stored = server.stored(manifest)
        assert stored is not None, manifest["metadata"]["name"]
        assert holds(stored, wanted), (manifest["kind"], manifest["metadata"]["name"], stored)


def assert_gone(server: Server, manifests: Sequence[Manifest]) -> None:
    """No object is stored, unless it is on its way out."""
    for manifest in manifests:
        stored = server.stored(manifest)
        assert stored is None or "deletionTimestamp" in stored["metadata"], manifest["metadata"]["name"]


def older_chart(folder: Path) -> Path:
    """The chart as an earlier version may have been: its policies knew no assertions."""
    packed = folder / "packed"
    run_helm("package", CHART, "--destination", packed)
    shutil.unpack_archive(next(packed.glob("*.tgz")), folder)
    path = folder / "batchaccess" / "files" / "crds" / "batchpoolaccesspolicies.yaml"
    path.write_text(older_definition(path.read_text()))
    return folder / "batchaccess"


def older_definition(text: str) -> str:
    """A CRD without some columns, texts and an optional field."""
    crd = yaml.safe_load(text)
    (version,) = crd["spec"]["versions"]
    version["additionalPrinterColumns"] = version.get("additionalPrinterColumns", [])[:1]
    crd["spec"]["names"].pop("categories", None)
    schema = version["schema"]["openAPIV3Schema"]
    schema.pop("description", None)
    spec = schema["properties"]["spec"]
    spec["properties"].pop("assertions", None)
    rules = spec.pop("x-kubernetes-validations", [])
    if kept := [each for each in rules if "assertions" not in each["rule"]]:
        spec["x-kubernetes-validations"] = kept
    made: str = yaml.safe_dump(crd)
    return made


def live_a_release(server: Server, older: Path) -> int:
    """Install an older chart, upgrade it with other values, roll back, uninstall, install again; how many objects.

    Connections and policies are there from the first installation on, and stay as they are until they are deleted.
    """
    before, alone, pair = objects(of=older), objects(), objects(PAIR)
    only_of_pair = [each for each in pair if each["metadata"]["name"].endswith("leader-election")]
    only_of_pair += [each for each in pair if each["kind"] == "PodDisruptionBudget"]
    assert len(only_of_pair) == 3
    declared = [connection_manifest(), policy_manifest()]

    server.helm("install", "batchaccess", older, "--create-namespace")
    assert_there(server, before)
    assert_gone(server, only_of_pair)
    server.apply(*declared)
    uids = [_uid(server, each) for each in declared]

    server.helm("upgrade", "batchaccess", CHART, "--set", PAIR)
    assert_there(server, pair)
    server.helm("rollback", "batchaccess", "1")
    assert_there(server, before)
    assert_gone(server, only_of_pair)
    server.helm("upgrade", "batchaccess", CHART, "--reset-then-reuse-values")
    assert_there(server, alone)

    server.helm("uninstall", "batchaccess", "--no-hooks")
    assert_gone(server, without_definitions(alone))
    assert_there(server, [each for each in alone if each["kind"] == "CustomResourceDefinition"])
    server.helm("install", "batchaccess", CHART)
    assert_there(server, [*alone, *declared])
    assert [_uid(server, each) for each in declared] == uids

    server.kubectl("delete", "bpap,bac", "--all", "--all-namespaces")
    server.helm("uninstall", "batchaccess", "--no-hooks")
    assert_gone(server, [*without_definitions(alone), *declared])
    return len(pair)


def _uid(server: Server, manifest: Manifest) -> str:
    stored = server.stored(manifest)
    assert stored is not None
    return str(stored["metadata"]["uid"])


def live_with_kustomize(server: Server) -> int:
    """Install the base, make it a pair, make it single again, remove it, install again; how many objects there were."""
    base, pair = KUSTOMIZE / "base", KUSTOMIZE / "overlays" / "ha"
    declared = [connection_manifest(), policy_manifest()]
    built, doubled = kustomized(base), kustomized(pair)

    server.kubectl("apply", "--server-side", "-k", str(base))
    assert_there(server, built)
    server.apply(*declared)
    server.kubectl("apply", "--server-side", "-k", str(pair))
    assert_there(server, [*doubled, *declared])
    # kubectl removes nothing that an overlay no longer names: docs/high-availability.md says what to delete.
    server.kubectl("apply", "--server-side", "-k", str(base))
    server.kubectl("delete", "--namespace", NAMESPACE, "pdb/batchaccess", *_leader_election())
    assert_there(server, [*built, *declared])

    server.kubectl("delete", "bpap,bac", "--all", "--all-namespaces")
    server.kubectl("delete", "-k", str(pair), "--ignore-not-found", _PATIENCE)
    assert_gone(server, doubled)
    server.kubectl("apply", "--server-side", "-k", str(base))
    assert_there(server, built)
    remove_everything(server)
    return len(doubled)


def _leader_election() -> list[str]:
    return [f"{kind}/batchaccess-leader-election" for kind in ("role", "rolebinding")]


def remove_everything(server: Server) -> None:
    """No definition, no namespace, nothing in it: as before the first installation."""
    server.kubectl("delete", "-k", str(KUSTOMIZE / "overlays" / "ha"), "--ignore-not-found", _PATIENCE)
    server.kubectl("delete", "-f", str(ROOT / "crds"), "--ignore-not-found", _PATIENCE)
