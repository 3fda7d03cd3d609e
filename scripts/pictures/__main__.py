"""Takes the pictures of the dashboards, and one of Prometheus' own page, as it recorded the demo's story.

Run from the repository's root: `python -m scripts.pictures [DIRECTORY]`. Needs Debian's prometheus with its pages,
node, npm and, if Chromium is not there, root on Debian. Grafana draws the same queries in its own way.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from scripts.pictures.boards import Board, answered
from scripts.pictures.exposures import exposures_visit
from scripts.pictures.page import WIDTH, page
from scripts.screenshots import IMAGES, browse
from tests.e2e_prometheus.telling import told_story
from tests.monitoring.queries import dashboards


def main() -> None:
    """Tell the story, ask every panel's queries, draw, and take the pictures."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="batchaccess-pictures-") as scratch:
        boards = asyncio.run(_boards(Path(scratch), directory / "prometheus-exposure.png"))
        visits: list[dict[str, object]] = []
        for name, board in boards.items():
            _without_data(name, board)
            drawn = Path(scratch) / f"{name}.html"
            drawn.write_text(page(board), "utf-8")
            picture = str(directory / f"dashboard-{name}.png")
            visits.append({"url": drawn.as_uri(), "width": WIDTH, "height": 400, "picture": picture})
        for visited in browse(visits):
            print(visited["title"])


async def _boards(scratch: Path, picture: Path) -> dict[str, Board]:
    """The boards over the story, and the picture of Prometheus' page while it runs."""
    models = dashboards()
    async with told_story(scratch) as told:
        boards = {
            name: await answered(model, told.series, started=int(told.started), ended=int(told.ended))
            for name, model in models.items()
        }
        (visited,) = await asyncio.to_thread(browse, [{**exposures_visit(told), "picture": str(picture)}])
        print(visited["title"])
    return boards


def _without_data(name: str, board: Board) -> None:
    """A panel that shows nothing in the story proves nothing.

    Raises:
        SystemExit: there is one; the message names it.
    """
    empty = [panel.model["title"] for panel in board.panels if panel.kind != "row" and not panel.series]
    if empty:
        raise SystemExit(f"dashboard {name} has panels without data: {', '.join(empty)}")


if __name__ == "__main__":
    main()
