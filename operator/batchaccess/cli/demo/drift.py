"""The people of the demo: every few seconds one of them changes a pool behind the operator's back."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, Final

from batchaccess.cli.demo.drain import FARM, submit_tasks
from batchaccess.cli.demo.world import DEV, PROD, World
from batchemulator import Account


@dataclass(frozen=True, slots=True)
class Happening:
    """Something somebody does, and how a person would tell of it."""

    told: str
    act: Callable[[World], Awaitable[None]]


def _nat_pool(name: str, port: int, start: int, rules: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    nat_pool: dict[str, Any] = {
        "name": name,
        "protocol": "tcp",
        "backendPort": port,
        "frontendPortRangeStart": start,
        "frontendPortRangeEnd": start + 100,
    }
    return nat_pool if rules is None else {**nat_pool, "networkSecurityGroupRules": rules}


def _rule(priority: int, access: str, source: str) -> dict[str, Any]:
    return {"priority": priority, "access": access, "sourceAddressPrefix": source}


def _network(*nat_pools: dict[str, Any]) -> dict[str, Any]:
    return {"networkConfiguration": {"endpointConfiguration": {"inboundNATPools": list(nat_pools)}}}


OPEN_SSH: Final = _network(_nat_pool("SSH", 22, 4000))
"""What somebody clicks together in a hurry: SSH for everyone."""

OPEN_LICENSES: Final = _network(_nat_pool("flexlm", 27000, 5000))
"""The licenses for everyone, not for the office alone."""

OPEN_BY_A_RULE: Final = _network(
    _nat_pool(
        "SSH",
        22,
        4000,
        [
            _rule(200, "allow", "192.168.1.0/24"),
            _rule(300, "allow", "Internet"),
            _rule(400, "allow", "52.166.10.20"),
            _rule(500, "deny", "*"),
        ],
    ),
    _nat_pool("RDP", 3389, 60000, [_rule(600, "deny", "*")]),
)
"""What grew over time: one of five rules lets everyone in, and the one behind it has next to nothing left to decide."""


def _edits(account: Account, pool_id: str, changes: dict[str, Any]) -> Callable[[World], Awaitable[None]]:
    async def act(world: World) -> None:
        world.batch.edit(pool_id, changes, account)

    return act


async def _asks_for_a_sweep(world: World) -> None:
    requested = {"batchaccess.dev/requested-at": datetime.now(UTC).isoformat()}
    await world.cluster.annotate("BatchPoolAccessPolicy", "render-login", requested, "render")


async def _opens_the_farm(world: World) -> None:
    world.jobs.append(await submit_tasks(world))
    world.batch.edit(FARM, OPEN_SSH, PROD)


def happenings() -> Iterator[Happening]:
    """What happens, in order, again and again.

    render-gpu is open by a rule for most of the time, and busy, so that its page can be read in peace.
    """
    office, deny = _rule(500, "allow", "192.168.1.0/24"), _rule(900, "deny", "*")
    return cycle(
        (
            Happening(
                "somebody opens SSH of render-gpu by one rule among others; its 4 nodes keep it from being corrected",
                _edits(PROD, "render-gpu", {**OPEN_BY_A_RULE, "targetDedicatedNodes": 4}),
            ),
            Happening("somebody opens SSH of render-linux to everyone", _edits(PROD, "render-linux", OPEN_SSH)),
            Happening(
                "somebody renumbers the rules of render-batchnight, which changes nobody's access",
                _edits(PROD, "render-batchnight", _network(_nat_pool("SSH", 22, 4000, [office, deny]))),
            ),
            Happening(
                "somebody adds RDP to render-windows",
                _edits(PROD, "render-windows", _network(_nat_pool("SSH", 22, 4000), _nat_pool("RDP", 3389, 60000))),
            ),
            Happening(
                "somebody locks everyone out of render-linux",
                _edits(PROD, "render-linux", _network(_nat_pool("SSH", 22, 4000, [deny]))),
            ),
            Happening(
                "somebody opens SSH of render-farm in the middle of six tasks; it is drained, corrected and restored",
                _opens_the_farm,
            ),
            Happening("somebody opens SSH of build to everyone; dev is only audited", _edits(DEV, "build", OPEN_SSH)),
            Happening(
                "a script opens SSH of render-linux once more; that is contended, and left alone",
                _edits(PROD, "render-linux", OPEN_SSH),
            ),
            Happening(
                "the owners of render-gpu scale it to zero, so that it is corrected",
                _edits(PROD, "render-gpu", {"targetDedicatedNodes": 0}),
            ),
            Happening(
                "the owners of build close it again", _edits(DEV, "build", _network(_nat_pool("SSH", 22, 4000, [deny])))
            ),
            Happening(
                "the script is found and stopped, and a new requested-at asks for another look", _asks_for_a_sweep
            ),
        )
    )
