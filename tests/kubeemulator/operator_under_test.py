"""A small kopf operator, run unmodified as a program of its own; it prints what its handlers are told."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, cast

import kopf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KIND = ("demo.example.com", "v1", "policies")


class Endless:
    """Back-offs that never run out."""

    def __iter__(self) -> Iterator[float]:
        while True:
            yield 0.1


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: object) -> None:
    settings.persistence.finalizer = "demo.example.com/finalizer"
    settings.watching.server_timeout = 60
    settings.networking.error_backoffs = Endless()
    settings.scanning.disabled = True


@kopf.index(*KIND)
def by_pool(spec: kopf.Spec, name: str, **_: object) -> dict[str, str]:
    return {str(spec["pool"]): name}


@kopf.on.resume(*KIND)
def resumed(name: str, **_: object) -> None:
    say("resumed", name)


@kopf.on.create(*KIND)
def created(name: str, body: kopf.Body, patch: kopf.Patch, **indices: object) -> None:
    patch.status["conditions"] = [{"type": "Ready", "status": "True"}]
    kopf.info(body, reason="Seen", message=f"{name} was seen")
    pools = cast("Mapping[str, object]", indices["by_pool"])
    say("created", name, "pools", sorted(pools))


@kopf.on.update(*KIND, field="spec.target")
def updated(name: str, old: object, new: object, **_: object) -> None:
    say("updated", name, old, new)


@kopf.on.delete(*KIND)
def deleted(name: str, **_: object) -> None:
    say("deleted", name)


@kopf.timer(*KIND, interval=0.2, idle=0)
def ticked(name: str, **_: object) -> None:
    say("ticked", name)


def main() -> None:
    ready = asyncio.Event()

    async def run() -> None:
        async def announce() -> None:
            await ready.wait()
            say("ready")

        announcing = asyncio.ensure_future(announce())
        await kopf.operator(clusterwide=True, standalone=True, ready_flag=ready)
        await announcing

    asyncio.run(run())


if __name__ == "__main__":
    main()
