"""A built image's root filesystem, entered as a container runtime enters it for a pod of deploy/kustomize.

There is no container runtime here: a private mount namespace, chroot and the image's own user stand for it. The network
is the machine's own.
"""

import json
import os
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

# The root; what is mounted, and where in it; ro or rw; the user; the command. /dev and /proc are no part of the root.
_ENTER: Final = """
set -euo pipefail
root=$1 mounted=$2 at=$3 mode=$4 user=$5
shift 5
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
[ -z "$mounted" ] || mount --bind "$mounted" "$root$at"
mount -o "remount,bind,$mode" "$root"
exec setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"
"""


@dataclass(frozen=True, kw_only=True)
class ImageRoot:
    """The root filesystem of a container that never ran, and what the image says about running it."""

    root: Path
    user: str
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...]
    """Entry point and default arguments."""

    @staticmethod
    def mounted(root: Path, inspected: Path) -> "ImageRoot":
        """An image that buildah has mounted at `root` and described in a file (`buildah inspect --type image`)."""
        config = json.loads(inspected.read_text())["OCIv1"]["config"]
        return ImageRoot(
            root=root,
            user=config["User"],
            environment=dict(each.split("=", 1) for each in config["Env"]),
            command=(*config["Entrypoint"], *config["Cmd"]),
        )

    def start(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        mount: tuple[Path, str] | None = None,
        writable: bool = False,
        output: IO[bytes] | int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Run a command of the image with the variables of the image and these.

        The process is the command's own, so signals reach it.

        Args:
            command: The program and its arguments; what the image runs by itself if there are none.
            environment: Variables beside those of the image.
            mount: A folder of this machine, and where in the image it is seen.
            writable: Whether the root filesystem may be written to, which no pod of ours may.
            output: Where standard output and standard error go.
        """
        source, target = mount or ("", "")
        if target:
            # A container runtime makes the places that it mounts at.
            (self.root / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        mode = "rw" if writable else "ro"
        entered = ["unshare", "--mount", "--propagation=private", "bash", "-c", _ENTER, "enter"]
        entered += [str(self.root), str(source), target, mode, self.user]
        return subprocess.Popen(
            [*entered, *(command or self.command)],
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def run(self, *command: str, writable: bool = False) -> str:
        """The output of a command that ends well."""
        with self.start(*command, writable=writable) as process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output.decode()
        return output.decode()

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Everything in the image, by its path there."""
        for folder, folders, files in os.walk(self.root):
            for name in (*folders, *files):
                path = Path(folder) / name
                yield f"/{path.relative_to(self.root)}", path.lstat()

    def places_anybody_may_write(self) -> list[str]:
        """The folders whose mode lets everybody write, such as /tmp: only how the root is mounted keeps a user out."""
        return [path for path, found in self.files() if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_IWOTH]
