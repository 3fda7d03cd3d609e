"""`batchaccess crds`: the custom resource definitions, for `kubectl apply -f -`."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click


@click.command()
def crds() -> None:
    """Print the CustomResourceDefinitions.

    Install or upgrade them with: batchaccess crds | kubectl apply --server-side -f -
    """
    click.echo(crd_text())


def crd_text() -> str:
    """The manifests as one YAML stream."""
    manifests = [manifest.read_text(encoding="utf-8").strip() for manifest in crd_files()]
    return "\n---\n".join(manifest.removeprefix("---").strip() for manifest in manifests)


def crd_files() -> list[Traversable]:
    """The manifests, by name: inside an installed package, or at the top of a checkout."""
    packaged = files("batchaccess") / "crds"
    place: Traversable = packaged if packaged.is_dir() else Path(__file__).parents[3] / "crds"
    return sorted((each for each in place.iterdir() if each.name.endswith(".yaml")), key=lambda each: each.name)
