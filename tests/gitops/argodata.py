"""The files of Argo CD's own test format, made of the tables: `python -m tests.gitops.argodata` writes them.

Beside each health.lua stands health_test.yaml, which names an object in testdata and the health expected of it, as in
Argo CD's repository. A test compares the files with what is made here.
"""

import asyncio
from pathlib import Path

import yaml

from batchaccess.api import Kind
from tests.gitops.interpreter import lua_health
from tests.gitops.places import CUSTOMIZATIONS, ROWS, health_script

_HEAD = "# Written by `python -m tests.gitops.argodata`: statuses as the operator's own code gives them.\n"


def expected_files(kind: Kind) -> dict[Path, str]:
    """Every test file of a kind, relative to its folder."""
    files: dict[Path, str] = {}
    tests = []
    for row in ROWS[kind]:
        found = asyncio.run(row.make())
        ((_, message),) = lua_health(health_script(kind), [found])
        path = Path("testdata") / row.file_name
        files[path] = _text(found)
        tests.append({"healthStatus": {"status": row.health.value, "message": message}, "inputPath": path.as_posix()})
    return {Path("health_test.yaml"): _text({"tests": tests}), **files}


def _text(value: object) -> str:
    # A line goes on to the end of the word that crosses the width: well below the 140 columns that yamllint permits.
    return _HEAD + yaml.safe_dump(value, sort_keys=False, width=70)


def main() -> None:
    """Write the files, and remove those of rows that are gone."""
    for kind in ROWS:
        folder = CUSTOMIZATIONS / kind
        for old in (folder / "testdata").glob("*.yaml"):
            old.unlink()
        for path, text in expected_files(kind).items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
