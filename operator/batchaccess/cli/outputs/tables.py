"""Tables: boxed by rich on a terminal, plain aligned columns when piped, which `awk`, `grep` and diffs can take."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

_GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. A `fixed` one is never wrapped; of the others the terminal decides."""

    title: str
    fixed: bool = False
    right: bool = False
    ratio: int | None = None


@dataclass(slots=True, kw_only=True)
class Table:
    """Rows of texts; a text may carry a style, which a pipe does not see."""

    columns: Sequence[Column]
    rows: list[tuple[Text, ...]] = field(default_factory=list)

    def add(self, *cells: str | Text) -> None:
        """Add a row of as many cells as there are columns."""
        self.rows.append(tuple(cell if isinstance(cell, Text) else Text(cell) for cell in cells))

    def show(self, console: Console) -> None:
        """Print it as the console can: boxed on a terminal, plain elsewhere."""
        if console.is_terminal:
            console.print(self._boxed())
        else:
            self._plain(console)

    def _boxed(self) -> RichTable:
        table = RichTable(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1))
        for column in self.columns:
            table.add_column(
                column.title,
                no_wrap=column.fixed,
                justify="right" if column.right else "left",
                overflow="fold",
                ratio=column.ratio,
            )
        for row in self.rows:
            table.add_row(*row)
        return table

    def _plain(self, console: Console) -> None:
        lines = [
            tuple(column.title for column in self.columns),
            *(tuple(cell.plain for cell in row) for row in self.rows),
        ]
        widths = [max(len(line[index]) for line in lines) for index in range(len(self.columns))]
        for line in lines:
            cells = [
                text.rjust(width) if column.right else text.ljust(width)
                for text, width, column in zip(line, widths, self.columns, strict=True)
            ]
            say(console, _GAP.join(cells).rstrip())


def say(console: Console, text: str | Text = "") -> None:
    """A line of text, wrapped on a terminal and never elsewhere; nothing in it is taken for markup."""
    console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=not console.is_terminal)
