"""Run a script file as Python would, and tell how it ended."""

from __future__ import annotations
import __future__

import ast
import os
import sys
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
"""Flags that ``from __future__`` sets in a code object; no two share a bit."""


class Ran(NamedTuple):
    """How a script ended.

    Attributes
    ----------
    namespace
        Its names.
    value
        Of its last statement, if that is an expression; else None.
    error
        What it raised, with a traceback that begins in the script; None if it ran through.
    """

    namespace: dict[str, Any]
    value: object = None
    error: BaseException | None = None


def run_script(
    path: str, source: str, follow: Callable[[CodeType], None] = lambda _code: None
) -> Ran:
    """Run a script under the name ``__main__``, from its own folder's point of view.

    What it raises is returned, not raised, a SyntaxError and ``sys.exit()`` as well.

    Parameters
    ----------
    path
        What its code objects and tracebacks call it.
    source
        Its text.
    follow
        Is told of each piece of code before it runs.
    """
    module = ModuleType("__main__")
    namespace = vars(module)
    namespace["__file__"] = path
    value: object = None
    try:
        tree = ast.parse(source, path)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        code = compile(tree, path, "exec", dont_inherit=True)
        with _as_main(module, path):
            follow(code)
            # The user's own script, which they asked to have run.
            exec(code, namespace)  # noqa: S102
            if isinstance(last, ast.Expr):
                # With what the script has imported from __future__.
                flags = code.co_flags & FUTURE
                expression = compile(
                    ast.Expression(last.value), path, "eval", flags, dont_inherit=True
                )
                follow(expression)
                value = eval(expression, namespace)  # noqa: S307
    except BaseException as error:  # noqa: BLE001 - handed on, with Ctrl-C and sys.exit()
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_frame.f_code.co_filename != path:
            traceback = traceback.tb_next
        return Ran(namespace, error=error.with_traceback(traceback))
    return Ran(namespace, value)


@contextmanager
def _as_main(module: ModuleType, path: str) -> Iterator[None]:
    """Let `module` be the program that runs, as far as Python's own tables tell."""
    before = sys.modules["__main__"], sys.argv, sys.path[:]
    sys.modules["__main__"], sys.argv = module, [path]
    sys.path[:1] = [os.path.dirname(os.path.abspath(path))]
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before
