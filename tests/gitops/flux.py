"""The status that Flux gives to objects by `spec.healthCheckExprs`, with the CEL library that the embedded API uses.

As Flux's `runtime/cel` does it (RFC 0009): an older observedGeneration is work in progress; then inProgress, failed and
current are asked in this order. An expression that cannot be evaluated is an error, and Flux goes on waiting.
"""

from functools import cache
from typing import Any

from kubeemulator.cellibrary import cel
from tests.gitops.rows import Kstatus, KubernetesObject

_ORDER = (("inProgress", Kstatus.IN_PROGRESS), ("failed", Kstatus.FAILED), ("current", Kstatus.CURRENT))


def flux_status(expressions: dict[str, str], found: KubernetesObject) -> Kstatus:
    """What Flux makes of an object by these expressions."""
    observed = found.get("status", {}).get("observedGeneration")
    if observed is not None and observed != found["metadata"]["generation"]:
        return Kstatus.IN_PROGRESS
    for key, status in _ORDER:
        if key in expressions and _holds(expressions[key], found):
            return status
    return Kstatus.IN_PROGRESS


@cache
def _compiled(text: str) -> Any:  # noqa: ANN401 the library has no types
    names = ("apiVersion", "kind", "metadata", "spec", "status")
    return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN)).compile(text)


def _holds(text: str, found: KubernetesObject) -> bool:
    """Whether an expression is true; one that fails, for example for want of a status, is not."""
    result = _compiled(text).eval(data=found)
    if result.type() == cel.Type.ERROR:
        return False
    assert result.type() == cel.Type.BOOL, f"this is neither true nor false: {text}"
    return bool(result.plain_value())
