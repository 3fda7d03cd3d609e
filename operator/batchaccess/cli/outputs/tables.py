"""Tables: boxed by rich on a terminal, plain aligned columns when piped, which `awk`, `grep` and diffs can take."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

_GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. A `fixed` one is never wrapped; of the others the terminal decides."""

    title: str
    fixed: bool = False
    right: bool = False
    below: str | None = None
    """On a terminal, its text goes dim under that of the column before, written so: `{} public addresses`."""
    grouped: bool = False
    """On a terminal, a text is not repeated under itself."""


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
            if column.below is None:
                table.add_column(
                    column.title,
                    no_wrap=column.fixed,
                    justify="right" if column.right else "left",
                    overflow="fold",
                )
        before: tuple[Text, ...] | None = None
        for row in self.rows:
            table.add_row(*self._stacked(row, before))
            before = row
        return table

    def _stacked(self, row: tuple[Text, ...], before: tuple[Text, ...] | None) -> list[Text]:
        """The cells of a row as a terminal shows them."""
        cells: list[Text] = []
        for index, (column, cell) in enumerate(zip(self.columns, row, strict=True)):
            if column.below is not None:
                if cell.plain not in {"", "0", "-"}:
                    cells[-1] = Text.assemble(cells[-1], "\n", (column.below.format(cell.plain), "dim"))
            else:
                repeated = column.grouped and before is not None and before[index].plain == cell.plain
                cells.append(Text() if repeated else cell)
        return cells

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


def say_indented(console: Console, text: str, *, columns: int, style: str = "") -> None:
    """A paragraph set in by some columns; words without spaces, such as addresses, stay whole to be clicked."""
    if console.is_terminal and " " in text:
        console.print(Padding(Text(text, style=style), (0, 0, 0, columns)))
    else:
        console.print(Text(" " * columns + text, style=style), soft_wrap=True)


def say_beside(console: Console, head: str | Text, body: Text, *, columns: int) -> None:
    """A short text in a column of its own, and a paragraph beside it."""
    if console.is_terminal:
        grid = RichTable.grid(padding=0)
        grid.add_column(width=columns, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(head, body)
        console.print(grid)
    else:
        start = head.plain if isinstance(head, Text) else head
        say(console, f"{start:<{columns}}{body.plain}")
