"""Where the programs of a control plane come from, without building any."""

from pathlib import Path

import pytest

from tests.controlplane import __main__ as command
from tests.controlplane.assets import NoControlPlaneError, all_assets, cache
from tests.controlplane.releases import NEWEST, OLDEST, Release


@pytest.fixture(autouse=True)
def _bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Go nor kubectl nor anything built."""
    for name in ("KUBEBUILDER_ASSETS", "BATCHACCESS_KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def program(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


def tell(_: str) -> None:
    return


def test_without_go_the_way_to_a_cluster_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    told = capsys.readouterr().err
    for remedy in ("install Go", "KUBEBUILDER_ASSETS", "BATCHACCESS_KUBECONFIG"):
        assert remedy in told


def test_what_was_built_is_used_again() -> None:
    for release in (NEWEST, OLDEST):
        for each in release.programs:
            program(cache() / f"{release.version}-{release.digest}" / each.name)

    oldest, newest = all_assets(tell)

    assert [oldest.label, newest.label] == [OLDEST.version, NEWEST.version]
    assert oldest.etcd == newest.etcd
    assert oldest.api_server != newest.api_server
    assert all(each.is_file() for each in (oldest.api_server, oldest.etcd, oldest.kubectl))


def test_a_half_built_folder_is_not_used() -> None:
    folder = cache() / f"{NEWEST.version}-{NEWEST.digest}.unfinished"
    program(folder / "etcd")

    with pytest.raises(NoControlPlaneError, match="Go is not on PATH"):
        all_assets(tell)


def test_the_folder_of_envtest_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("etcd", "kube-apiserver", "kubectl"):
        program(tmp_path / "given" / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "given"))

    (given,) = all_assets(tell)

    assert given.api_server == tmp_path / "given" / "kube-apiserver"
    assert given.controllers is None


def test_a_folder_that_lacks_a_program_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "given" / "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "given"))

    with pytest.raises(NoControlPlaneError, match="lacks kube-apiserver"):
        all_assets(tell)


@pytest.mark.parametrize("release", [NEWEST, OLDEST], ids=lambda release: release.version)
def test_the_staging_repositories_are_those_of_the_release(release: Release) -> None:
    text = (release.module / "go.mod").read_text()
    replaced = [line for line in text.splitlines() if "=>" in line]
    published = release.version.replace("1.", "v0.", 1)

    assert len(replaced) >= 30
    assert [line for line in replaced if not line.endswith(f" {published}")] == []
