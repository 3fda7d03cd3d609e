"""The image that `make image` built: whose files it holds, what it may write, and the operator at work in it.

Runs where BATCHACCESS_IMAGE_ROOT names a mounted root filesystem and BATCHACCESS_IMAGE_INSPECTED what buildah says of
the image, as scripts/build-image.sh does. The operator finds its API server and its token as in a pod.
"""

import base64
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import pytest
import yaml

from batchaccess import __version__
from batchemulator.accounts import DEV_ACCOUNT
from batchemulator.server import Emulator, make_service, serving_in_thread
from kubeemulator.launch import KubeEmulator, emulator
from tests.deploy.releases import Server
from tests.e2e_image.imageroot import ImageRoot
from tests.support.kube import CRDS, policy_manifest
from tests.tenancy.clusterworld import BASE, NAMESPACE, World, connection_to, open_pool, secret, shared_key

ROOT = os.environ.get("BATCHACCESS_IMAGE_ROOT")
INSPECTED = os.environ.get("BATCHACCESS_IMAGE_INSPECTED")

pytestmark = [
    pytest.mark.skipif(ROOT is None, reason="BATCHACCESS_IMAGE_ROOT names no mounted image (make image builds one)"),
    pytest.mark.timeout(600),
]

UID: Final = 65532
SECONDS_TO_START: Final = 120
TOKEN_FOLDER: Final = "/run/secrets/kubernetes.io/serviceaccount"
TRY_TO_WRITE: Final = """
import errno, sys
for folder in sys.argv[1:]:
    try:
        open(f"{folder}/written", "x").close()
        print(folder, "written")
    except OSError as error:
        print(folder, errno.errorcode[error.errno])
"""


@pytest.fixture
def image() -> ImageRoot:
    assert ROOT is not None
    assert INSPECTED is not None
    return ImageRoot.mounted(Path(ROOT), Path(INSPECTED))


def test_it_runs_as_a_user_who_owns_nothing_of_it(image: ImageRoot) -> None:
    assert image.user == f"{UID}:{UID}"
    owned = [path for path, found in image.files() if UID in (found.st_uid, found.st_gid)]
    assert owned == []
    printed = image.run("python3", "-c", "import os; print(os.getuid(), os.getgid(), os.getgroups())")
    assert printed.split()[:2] == [str(UID), str(UID)]
    assert "0" not in printed.split(maxsplit=2)[2].strip("[]\n").split(", ")


def test_it_is_this_version_with_these_definitions(image: ImageRoot) -> None:
    assert __version__ in image.run("batchaccess", "--version")
    printed = [each for each in yaml.safe_load_all(image.run("batchaccess", "crds")) if each]
    declared = [yaml.safe_load(path.read_text()) for path in CRDS]
    assert {each["metadata"]["name"]: each for each in printed} == {each["metadata"]["name"]: each for each in declared}


def test_where_anybody_may_write_the_read_only_root_keeps_the_operator_out(image: ImageRoot) -> None:
    places = image.places_anybody_may_write()
    assert "/tmp" in places  # noqa: S108 the image's own
    try:
        # Nothing else keeps it out: with a writable root it would write.
        assert image.run("python3", "-c", TRY_TO_WRITE, *places, writable=True).splitlines() == [
            f"{place} written" for place in places
        ]
    finally:
        for place in places:
            (image.root / place.lstrip("/") / "written").unlink(missing_ok=True)
    assert image.run("python3", "-c", TRY_TO_WRITE, *places).splitlines() == [f"{place} EROFS" for place in places]


def test_the_operator_corrects_a_pool_lets_go_and_ends_when_asked(image: ImageRoot, tmp_path: Path) -> None:
    deployment = yaml.safe_load((BASE / "deployment.yaml").read_text())
    grace_seconds = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    with running_in(image, tmp_path) as world:
        assert status_of(world, "/readyz") == 200
        # A time zone, to have the database of them read.
        always = {"kind": "Allow", "schedule": "* * * * *", "durationSeconds": 3600, "timeZone": "Europe/Berlin"}
        world.apply(
            secret("weu", shared_key()),
            connection_to(world.batch.url()),
            policy_manifest(remediation={"strategy": "WhenEmpty", "windows": [always]}),
        )
        world.until(
            lambda: (
                "prod-weu.render-1" in world.kubectl("get", "bpa")
                and world.condition("bpa", "prod-weu.render-1", "Compliant")[0] == "True"
            ),
            "the pool to be corrected",
            within=SECONDS_TO_START,
        )
        assert world.condition("bac", "prod-weu", "Ready") == ("True", "Connected")
        for path in ("/healthz", "/readyz", "/metrics", "/", "/assets/status.css"):
            assert status_of(world, path) == 200, path

        # As the Job does that Helm runs before it deletes anything.
        with start_in_pod(image, world.api, world.batch, tmp_path, command=("batchaccess", "uninstall")) as leaving:
            told, _ = leaving.communicate(timeout=SECONDS_TO_START)
        assert leaving.returncode == 0, told.decode()

        world.process.send_signal(signal.SIGTERM)
        assert world.process.wait(timeout=grace_seconds) == 0
        assert "Traceback" not in world.log
        assert "Read-only file system" not in world.log


def status_of(world: World, path: str) -> int:
    address = world.log.partition("shows metrics at ")[2].partition("/metrics")[0]
    with urllib.request.urlopen(address + path, timeout=30) as response:  # noqa: S310 a loopback address of ours
        status: int = response.status
        return status


@contextmanager
def running_in(image: ImageRoot, directory: Path) -> Iterator[World]:
    """The image's own command beside an emulated cluster and an emulated account, with the roles that we ship."""
    service = make_service(pools={DEV_ACCOUNT.name: [open_pool("render-1")]})
    with emulator(directory / "kubeconfig", rbac=True) as api, serving_in_thread(service) as batch:
        administrator = Server(api.kubeconfig)
        administrator.kubectl("apply", "--server-side", "-k", str(BASE))
        token = administrator.kubectl("create", "token", "batchaccess", "--namespace", NAMESPACE).strip()
        fill_service_account_folder(api, token, directory / "serviceaccount")
        log_file = directory / "log"
        with log_file.open("wb") as output:
            process = start_in_pod(image, api, batch, directory, output=output)
        world = World(api=api, batch=batch, log_file=log_file, process=process, token=token)
        try:
            world.until(lambda: "shows metrics at " in world.log, "the operator to start", within=SECONDS_TO_START)
            world.until(lambda: ready(world), "the operator to be ready", within=SECONDS_TO_START)
            yield world
        finally:
            process.kill()
            process.wait(timeout=60)
            sys.stdout.write(log_file.read_text()[-6000:])


def ready(world: World) -> bool:
    try:
        return status_of(world, "/readyz") == 200
    except urllib.error.HTTPError:
        return False


def start_in_pod(
    image: ImageRoot,
    api: KubeEmulator,
    batch: Emulator,
    directory: Path,
    *,
    command: tuple[str, ...] = (),
    output: IO[bytes] | int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """With what a pod of the base has, but a port of its own on loopback."""
    server = urlsplit(api.url)
    environment = {
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "BATCHACCESS_NAMESPACE": NAMESPACE,
        "BATCHACCESS_TELEMETRY_HOST": "127.0.0.1",
        "BATCHACCESS_TELEMETRY_PORT": "0",
        "BATCHACCESS_STATUS_PAGE": "true",
        "BATCHACCESS_ALLOW_ENDPOINT_SUFFIX": str(urlsplit(batch.url()).hostname),
    }
    mount = (directory / "serviceaccount", TOKEN_FOLDER)
    return image.start(*command, environment=environment, mount=mount, output=output)


def fill_service_account_folder(api: KubeEmulator, token: str, folder: Path) -> None:
    """What the kubelet puts into every pod, readable for its user."""
    (cluster,) = yaml.safe_load(api.kubeconfig.read_text())["clusters"]
    folder.mkdir()
    folder.chmod(0o755)
    authority = base64.b64decode(cluster["cluster"]["certificate-authority-data"])
    for name, content in (("token", token.encode()), ("ca.crt", authority), ("namespace", NAMESPACE.encode())):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o644)
