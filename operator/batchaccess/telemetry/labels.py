"""The labels that more than one family carries."""

from batchaccess.core.declared import Mode
from batchaccess.core.model import IpFamily
from batchaccess.core.reasons import ConditionStatus, ConditionType, DriftClass, PoolOutcome
from batchaccess.ports import AzureOperation
from batchaccess.telemetry.families import Label
from batchaccess.telemetry.words import ObjectKind, PortClass

CONNECTION = Label(name="connection", meaning="name of the BatchAccountConnection")
POOL = Label(name="pool", meaning="id of the pool in Azure")
POLICY = Label(name="policy", meaning="namespace/name of the BatchPoolAccessPolicy")
GOVERNING_POLICY = Label(
    name="policy", meaning="namespace/name of the governing BatchPoolAccessPolicy, empty without one"
)
MODE = Label(name="mode", meaning="mode of the policy, empty without one", values=Mode)
CONDITION_TYPE = Label(name="type", meaning="type of the condition", values=ConditionType)
CONDITION_STATUS = Label(name="status", meaning="status of the condition", values=ConditionStatus)
CONDITION_REASON = Label(name="reason", meaning="reason of the condition, a word of its type's closed set")
PORT_CLASS = Label(name="port_class", meaning="login = backend ports 22 and 3389, other = the rest", values=PortClass)
IP_FAMILY = Label(name="family", meaning="IP family of the source addresses", values=IpFamily)
OUTCOME = Label(name="outcome", meaning="what the last sweep concluded", values=PoolOutcome)
DRIFT_KIND = Label(name="kind", meaning="how the observed network differs in meaning", values=DriftClass)
OPERATION = Label(name="operation", meaning="request to the Batch account", values=AzureOperation)
OBJECT_KIND = Label(name="kind", meaning="kind of the object", values=ObjectKind)
