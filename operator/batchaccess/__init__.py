"""Azure Batch Access Operator: keeps the network access of Azure Batch pools exactly as declared."""

__version__ = "0.1.0"
