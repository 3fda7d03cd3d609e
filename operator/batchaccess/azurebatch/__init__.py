"""The one module that speaks to Azure: everything here implements `ports.Pools`, nothing else may import azure-*."""
