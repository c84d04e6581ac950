"""Hear the values of a method's local names at its end, without a profile function.

That would be called at every call and return of anything, and Python 3.12 and later take
microseconds to set it. Instead the method's own text is compiled once more, so that it hands over
its names when it is about to return.
"""

from __future__ import annotations

import ast
import warnings
from contextlib import suppress
from tokenize import TokenError
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from ipygrad.capture.sources import block_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_KEEP, _LOCALS = "<ipygrad keep>", "<ipygrad locals>"
"""Constants in whose places functions are put: names of them would be among the method's own."""
_LOOKS_AT_NAMES = frozenset(("locals", "vars", "dir", "eval", "exec"))
"""Functions whose dictionary, up to Python 3.12, is filled once more when the names are kept."""


def with_values_kept(
    method: FunctionType, keep: Callable[[dict[str, Any]], object]
) -> FunctionType:
    """Return a method that does the same, and hands over its local names at its end.

    Parameters
    ----------
    method
        It is returned itself where its text is not to be had, or is no longer what runs, and where
        it looks at its names itself.
    keep
        Is called with them.
    """
    code = method.__code__
    if not _LOOKS_AT_NAMES.isdisjoint(code.co_names):
        return method
    cells = dict(zip(code.co_freevars, method.__closure__ or (), strict=True))
    with suppress(SyntaxError, ValueError, TokenError):
        tree = _definition(code, method.__qualname__)
        names = cells.keys() - {"__class__"}
        if tree is None or not _is_same(_compiled(tree, names, code), code):
            return method
        _Returns().visit(tree)
        keeping = _compiled(tree, names, code)
        if keeping is not None:
            put = {_KEEP: keep, _LOCALS: locals}
            constants = (put.get(c, c) if isinstance(c, str) else c for c in keeping.co_consts)
            keeping = keeping.replace(co_consts=(*constants,))
            closure = tuple(cells[name] for name in keeping.co_freevars)
            made = FunctionType(
                keeping, method.__globals__, method.__name__, method.__defaults__, closure
            )
            made.__kwdefaults__ = method.__kwdefaults__
            return made
    return method


def _definition(code: CodeType, qualified_name: str) -> ast.stmt | None:
    """Return the syntax tree of a method, in a class of the same name, at its own lines."""
    first_line = code.co_firstlineno
    block = block_at(code.co_filename, first_line)
    if block is None:
        return None
    if block[0].isspace():
        # Names such as self.__x have that of the class put before them.
        owner = qualified_name.rpartition(".")[0].rpartition(".")[2] or "_"
        block = f"class {owner}:\n{block}"
        first_line -= 1
    tree = ast.parse(block)
    ast.increment_lineno(tree, first_line - 1)
    return tree.body[0]


def _compiled(tree: ast.stmt, free: Collection[str], like: CodeType) -> CodeType | None:
    """Compile a definition that finds some names around it; return the code of one function."""
    if free:
        around = ast.parse(f"def around({', '.join(sorted(free))}): pass").body[0]
        around.body = [tree]  # type: ignore[attr-defined]
        tree = around
    module = ast.fix_missing_locations(ast.Module([tree], []))
    flags = like.co_flags & annotations.compiler_flag
    with warnings.catch_warnings():
        # Of text that is called; what there is to say of the method was said before.
        warnings.simplefilter("ignore")
        whole = compile(module, like.co_filename, "exec", flags, dont_inherit=True)
    place = like.co_name, like.co_firstlineno
    return next((c for c in _codes_in(whole) if (c.co_name, c.co_firstlineno) == place), None)


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


def _is_same(code: CodeType | None, other: CodeType) -> bool:
    return code is not None and all(
        getattr(code, what) == getattr(other, what)
        for what in ("co_code", "co_consts", "co_names", "co_varnames", "co_freevars")
    )


class _Returns(ast.NodeTransformer):
    """Puts a call around what a function returns, not around what others in it return."""

    _is_inside = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Look into the outermost function only."""
        if self._is_inside:
            return node
        self._is_inside = True
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Leave it as it is."""
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Look into the class around the function only."""
        return node if self._is_inside else self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """Have the names kept when the value is there: ``return (value, keep(locals()))[0]``."""
        if node.value is not None:
            names = ast.Call(ast.Constant(_LOCALS), [], [])
            kept = ast.Call(ast.Constant(_KEEP), [names], [])
            both = ast.Tuple([node.value, kept], ast.Load())
            first = ast.Subscript(both, ast.Constant(0), ast.Load())
            node.value = ast.copy_location(first, node.value)
        return node
