"""A progress bar on stderr, only for a person who looks at a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class ShownSteps:
    """Implements `inputs.Steps` by a bar that vanishes when the work is done."""

    def __init__(self, console: Console, *, hidden: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=hidden or not console.file.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, what: str, total: int | None = None) -> None:
        """Something begins that has `total` steps, None if nobody knows."""
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task(what, total=total)
            return
        known = self._progress.tasks[0].total or 0
        # Accounts are read side by side, and share one bar.
        self._progress.update(self._task, description=what, total=known + total if total is not None else known or None)

    def advance(self) -> None:
        """One step is done."""
        if self._task is not None:
            self._progress.advance(self._task)
