"""The CEL library (Google's C++ implementation): the only place that imports it, as it ships no types."""

from cel_expr_python import cel  # type: ignore[import-untyped]  # ships stubs, but no py.typed marker
from cel_expr_python.ext import (  # type: ignore[import-untyped]  # ships stubs, but no py.typed marker
    ext_bindings,
    ext_math,
    ext_optional,
    ext_strings,
)

__all__ = ["cel", "ext_bindings", "ext_math", "ext_optional", "ext_strings"]
