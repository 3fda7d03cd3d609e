"""Where the commands that only look get pools from: live accounts and saved files, never to be written to.

Entry points: `pool_source_options` adds --endpoint, --connection, --pools and their kin to a command and hands it a
`PoolSources`; `read_sources` turns that into a `Reading`; `gather` does so for connections from elsewhere.
"""

from batchaccess.cli.inputs.live import LiveSettings, gather
from batchaccess.cli.inputs.options import pool_source_options
from batchaccess.cli.inputs.reading import Failure, ReadAccount, Reading, ReadPool, Steps, no_steps
from batchaccess.cli.inputs.sources import PoolSources, read_sources

__all__ = [
    "Failure",
    "LiveSettings",
    "PoolSources",
    "ReadAccount",
    "ReadPool",
    "Reading",
    "Steps",
    "gather",
    "no_steps",
    "pool_source_options",
    "read_sources",
]
