"""Loops of which each turn makes the same, so that what is made tells of the turns."""

from __future__ import annotations

import ast
import builtins
from types import ModuleType
from typing import TYPE_CHECKING

from ipygrad.capture.loops import LOOPS
from ipygrad.capture.shapes import is_function

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_CONDITIONS = (ast.If, ast.IfExp, ast.BoolOp, ast.While, ast.Try, ast.Match)


def is_plain(tree: ast.Module, names: Mapping[str, object]) -> bool:
    """Tell whether all loops stand alone, and do nothing but call functions of libraries."""
    outermost = list(_outermost_loops(tree))
    everywhere = sum(isinstance(node, LOOPS) for node in ast.walk(tree))
    return len(outermost) == everywhere and all(_does_the_same(loop, names) for loop in outermost)


def _outermost_loops(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, LOOPS):
            yield child
        elif not isinstance(child, _SCOPES):
            yield from _outermost_loops(child)


def _does_the_same(loop: ast.AST, names: Mapping[str, object]) -> bool:
    parts = getattr(loop, "generators", [])
    if len(parts) > 1 or any(part.ifs for part in parts):
        return False
    return not any(
        isinstance(node, _CONDITIONS)
        or (isinstance(node, ast.Call) and not _is_of_library(node.func, names))
        for node in ast.walk(loop)
    )


def _is_of_library(called: ast.expr, names: Mapping[str, object]) -> bool:
    """Tell whether what is called is known, and no function that the user has written."""
    if isinstance(called, ast.Call):
        # Square()(x): one of a learner's own functions makes one thing at each call.
        made = names.get(called.func.id) if isinstance(called.func, ast.Name) else None
        return isinstance(made, type) and hasattr(made, "forward")
    while isinstance(called, ast.Attribute):
        called = called.value
    if not isinstance(called, ast.Name):
        return False
    if called.id not in names:
        return hasattr(builtins, called.id)
    value = names[called.id]
    if isinstance(value, ModuleType) or is_function(value):
        return True
    if isinstance(value, type) and hasattr(value, "forward"):
        return True
    owner = value if hasattr(value, "__qualname__") else type(value)
    return getattr(owner, "__module__", "__main__") != "__main__"
