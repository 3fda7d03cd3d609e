"""How commands answer: tables for people, JSON and YAML for machines, SARIF for code scanning, and exit statuses.

Entry points: `output_options` adds -o, --color, --quiet and --debug to a command, runs it guarded and hands it an
`Output`; `Problem` is what a command raises to end 2 with a message; `exit_status` decides between 0, 1 and 2.
"""

from batchaccess.cli.outputs.documents import REPORT_VERSION, report, write_document
from batchaccess.cli.outputs.exits import ExitStatus, exit_status
from batchaccess.cli.outputs.options import Format, Output, output_options
from batchaccess.cli.outputs.problems import Problem
from batchaccess.cli.outputs.tables import Column, Table

__all__ = [
    "REPORT_VERSION",
    "Column",
    "ExitStatus",
    "Format",
    "Output",
    "Problem",
    "Table",
    "exit_status",
    "output_options",
    "report",
    "write_document",
]
