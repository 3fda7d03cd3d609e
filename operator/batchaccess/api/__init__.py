"""The three kinds as users write them: models that accept and refuse what the CRDs do, and the way to core values.

Entry points: `parse_policy`, `parse_connection`, `parse_pool_access`, `schedule_problems`, `policy_manifest`,
`render_status`, `render_part`, `stored_conditions`, `stored_change`, `stored_in_order_under`. Only this package and the
settings know pydantic.
"""

from batchaccess.api.decode import PoolAccess, parse_connection, parse_policy, parse_pool_access
from batchaccess.api.encode import policy_manifest
from batchaccess.api.envelope import ABANDON, ADOPT, API_VERSION, GROUP, LEAVING_SINCE, REQUESTED_AT, VERSION, Kind
from batchaccess.api.schedules import schedule_problems
from batchaccess.api.statuses import render_part, render_status, stored_change, stored_conditions, stored_in_order_under

__all__ = [
    "ABANDON",
    "ADOPT",
    "API_VERSION",
    "GROUP",
    "LEAVING_SINCE",
    "REQUESTED_AT",
    "VERSION",
    "Kind",
    "PoolAccess",
    "parse_connection",
    "parse_policy",
    "parse_pool_access",
    "policy_manifest",
    "render_part",
    "render_status",
    "schedule_problems",
    "stored_change",
    "stored_conditions",
    "stored_in_order_under",
]
