"""Takes the pictures of docs/images: the status page of the demo's world, in headless Chromium.

Run from the repository's root: `python -m scripts.screenshots [DIRECTORY]`. Needs node, npm and, if Chromium is not
there, root on Debian.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from batchaccess.cli.demo.drift import OPEN_BY_A_RULE
from batchaccess.cli.demo.story import (
    assertions_are_reported,
    busy_pool_is_drained,
    closed_port_is_an_explicit_deny,
    drift_is_corrected,
    expect,
    exposure_is_computed,
    policies_are_enforced,
    until,
)
from batchaccess.cli.demo.world import PROD, World, running

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ROOT / "docs" / "images"
BROWSER: Final = ROOT / "tests" / "e2e_browser"
SECONDS: Final = 480
WIDE: Final = {"width": 1280, "height": 860}
NARROW: Final = {"width": 390, "height": 844}

FLEET: Final = "/"
POOL: Final = "/pools/prod.render-gpu"
CORRECTED: Final = "/pools/prod.render-linux"
POLICY: Final = "/policies/render/render-login"
DRAINING: Final[dict[str, object]] = {"path": "/pools/prod.render-farm", "scheme": "light", **WIDE}

PICTURES: Final[dict[str, dict[str, object]]] = {
    "fleet-light": {"path": FLEET, "scheme": "light", **WIDE},
    "fleet-dark": {"path": FLEET, "scheme": "dark", **WIDE},
    "fleet-narrow": {"path": FLEET, "scheme": "light", **NARROW, "whole": False},
    "pool-light": {"path": POOL, "scheme": "light", **WIDE},
    "pool-dark": {"path": POOL, "scheme": "dark", **WIDE},
    "pool-narrow": {"path": POOL, "scheme": "dark", **NARROW, "whole": False},
    "pool-corrected": {"path": CORRECTED, "scheme": "light", **WIDE},
    "policy-light": {"path": POLICY, "scheme": "light", **WIDE},
    "policy-dark": {"path": POLICY, "scheme": "dark", **WIDE},
}


def main() -> None:
    """Take all pictures."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take(directory))


async def _take(directory: Path) -> None:
    async with running() as world:
        await _tell_story(world)
        await _show(world, directory, PICTURES)
        await busy_pool_is_drained(world)
        await _show(world, directory, {"pool-draining": DRAINING})


async def _show(world: World, directory: Path, pictures: dict[str, dict[str, object]]) -> None:
    visits = [
        {**picture, "url": f"{world.telemetry_url}{picture['path']}", "picture": str(directory / f"status-{name}.png")}
        for name, picture in pictures.items()
    ]
    for visited in await asyncio.to_thread(browse, visits):
        print(f"{visited['status']} {visited['title']}")


async def _tell_story(world: World) -> None:
    """Bring about something to see: correction, waiting, violated assertions, a wrong key."""
    await exposure_is_computed(world)
    await policies_are_enforced(world)
    await assertions_are_reported(world)
    await closed_port_is_an_explicit_deny(world)
    await drift_is_corrected(world)
    await _open_busy_pool(world)


async def _open_busy_pool(world: World) -> None:
    """Somebody opens a pool that has nodes, as in the demo, so that the drift stays for a while."""
    world.batch.edit("render-gpu", OPEN_BY_A_RULE, PROD)

    async def seen() -> str:
        pool = await world.cluster.get("BatchPoolAccess", "prod.render-gpu")
        endpoints = [endpoint["name"] for endpoint in pool["status"]["network"]["endpoints"]]
        expect("RDP" in endpoints, f"render-gpu has the endpoints {endpoints}")
        return "RDP"

    await until(seen)


def browse(visits: list[dict[str, object]]) -> list[dict[str, Any]]:
    """Open pages in Chromium; what was found of each.

    Raises:
        SystemExit: the browser could not do it; its complaint is the message.
    """
    modules = subprocess.run([BROWSER / "install.sh"], capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(
        ["node", BROWSER / "browse.cjs"],  # noqa: S607 found on PATH, as any tool of the scripts
        input=json.dumps({"visits": visits}),
        env={**os.environ, "NODE_PATH": modules},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
