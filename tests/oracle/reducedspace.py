"""A space small enough to write out and rich enough to go wrong in, and seeded random rule lists over it.

Three address bits inside a private and a public IPv4 block, two and one inside IPv6 blocks, and one address each for
what lies outside all of them: whatever a rule below does to one outside address it does to all of its kind.
"""

from random import Random

from tests.oracle.firstmatch import Rule, Space

OPAQUE = "300.0.0.1"
TAGS = ["virtualnetwork", "azurecloud", OPAQUE]

SPACE = Space(
    public=[
        *(f"20.0.0.{i}" for i in range(8)),
        *(f"2a00::{i}" for i in range(4)),
        *("9.9.9.9", "200.1.1.1", "2600::1"),
    ],
    private=[
        *(f"10.0.0.{i}" for i in range(8)),
        *(f"fd00::{i}" for i in range(2)),
        *("10.9.9.9", "127.0.0.1", "172.16.0.1", "fd77::1", "fe80::1"),
    ],
    ports=[0, 1, 2, 3, 4, 40000, 65535],
    tags=TAGS,
)
CARRIED = {4: SPACE.family(4), 46: SPACE.family(4, 6)}

_EVERY_PORT = ((0, 65535),)
_SOURCES = [
    *["*"] * 4,
    *["Internet", "INTERNET", "VirtualNetwork", "virtualNetwork", "AzureCloud", "azurecloud", OPAQUE] * 2,
    *["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8"],
    *(f"10.0.0.{i}/{length}" for length in (29, 30, 31) for i in (0, 2, 4, 5, 6)),
    *(f"20.0.0.{i}/{length}" for length in (29, 30, 31) for i in (0, 3, 4, 6)),
    *(f"{block}.{i}" for block in ("10.0.0", "20.0.0") for i in (0, 3, 7)),
    *("2a00::/126", "2a00::2/127", "2a00::1", "fd00::/127", "fd00::1", "fc00::/7"),
]


def _ports(random: Random) -> tuple[tuple[int, int], ...]:
    if random.random() < 0.6:
        return _EVERY_PORT
    cuts = sorted(random.sample([0, 1, 2, 3, 4, 65535], random.choice([2, 2, 4])))
    return tuple(zip(cuts[::2], cuts[1::2], strict=True)) if random.random() < 0.8 else ((cuts[0], cuts[0]),)


def _effect(random: Random) -> tuple[str, str, tuple[tuple[int, int], ...]]:
    return random.choices(["allow", "deny", "unknown"], [10, 10, 1])[0], random.choice(_SOURCES), _ports(random)


def rule_list(random: Random, longest: int = 7) -> tuple[Rule, ...]:
    """Up to seven rules with unique priorities, in any order."""
    length = random.randint(0, longest)
    priorities = random.sample(range(150, 200), length)
    return tuple((priority, *_effect(random)) for priority in priorities)


def neighbour(random: Random, rules: tuple[Rule, ...], longest: int = 7) -> tuple[Rule, ...]:
    """The same list with one rule changed, dropped or added, so that comparisons meet near misses."""
    changed = list(rules)
    if changed and (len(changed) == longest or random.random() < 0.6):
        changed.pop(random.randrange(len(changed)))
    if not changed or random.random() < 0.6:
        taken = {rule[0] for rule in changed}
        priority = random.choice([number for number in range(150, 200) if number not in taken])
        changed.append((priority, *_effect(random)))
    return tuple(changed)
