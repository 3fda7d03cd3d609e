"""What people declare, read from files: policies and connections, and every mistake with file and line.

Entry points: `read_declared` for `-f FILE|DIR|-`; `manifest_option` adds that option to a command.
"""

from batchaccess.cli.manifests.checks import CHECKS, Check, Mistake, Weight
from batchaccess.cli.manifests.files import Manifest
from batchaccess.cli.manifests.objects import Declared, PlacedConnection, PlacedPolicy, read_declared
from batchaccess.cli.manifests.options import manifest_option

__all__ = [
    "CHECKS",
    "Check",
    "Declared",
    "Manifest",
    "Mistake",
    "PlacedConnection",
    "PlacedPolicy",
    "Weight",
    "manifest_option",
    "read_declared",
]
