"""The Kubernetes API as the operator uses it; the only package that imports `kubernetes`."""
