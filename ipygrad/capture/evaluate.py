"""Run the text of a cell as IPython would, once, and tell how it ended."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from IPython.core.interactiveshell import InteractiveShell

PADDING = 1
"""Lines above the body: the magic's own line is line 1, as in the cell that the user sees."""


@dataclass(frozen=True)
class Cell:
    """The text of a cell, compiled under the name that IPython's tracebacks know.

    Attributes
    ----------
    filename
        What ``co_filename`` says in its code objects.
    source
        Python source, padded so that line numbers are those of the cell.
    statements
        What is executed, each with the question whether its value is displayed.
    """

    filename: str
    source: str
    statements: tuple[tuple[ast.stmt, bool], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines below the magic."""
        return tuple(self.source.splitlines()[PADDING:])


@dataclass(frozen=True)
class Outcome:
    """How a cell ended.

    Attributes
    ----------
    value
        Value of its last expression, None if it ended otherwise.
    error
        What it raised, with a traceback that begins in the cell; None if it ran through.
    """

    value: object = None
    error: BaseException | None = None


class CellSyntaxError(Exception):
    """The cell is not Python; shown as IPython shows a SyntaxError, without frames of ours.

    It is no SyntaxError itself, because IPython takes one that a magic raises for an error in
    the magic's own code and lists the magic's frames.
    """

    def __init__(self, error: SyntaxError, shell: InteractiveShell) -> None:
        super().__init__(str(error))
        self.error = error
        self._shell = shell

    def _render_traceback_(self) -> list[str]:
        stb: list[str] = self._shell.SyntaxTB.structured_traceback(type(self.error), self.error, [])
        return stb


def parse(shell: InteractiveShell, text: str) -> Cell:
    """Compile `text`, the lines below the magic, to what IPython would run.

    Raises
    ------
    CellSyntaxError
        When it is not Python.
    UsageError
        When it awaits at top level.
    """
    body = shell.transform_cell(text)
    source = "\n" * PADDING + body
    number = shell.displayhook.prompt_count
    filename: str = shell.compile.cache(source, number, raw_code=source)
    try:
        tree = shell.transform_ast(shell.compile.ast_parse(source, filename=filename))
        if _awaits(tree, filename):
            raise UsageError(
                "%%grad cannot run a cell that awaits at top level. Run the cell without it, then "
                "write %grad y in the next cell, y being the result"
            )
        for statement in tree.body:
            shell.compile(ast.Module([statement], []), filename, "exec")
    except SyntaxError as error:
        raise CellSyntaxError(error, shell) from None
    statements = tuple(_with_display(tree, shell.ast_node_interactivity))
    return Cell(filename, source, statements)


def _awaits(tree: ast.Module, filename: str) -> bool:
    code = compile(tree, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _with_display(tree: ast.Module, interactivity: str) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield each statement and whether its value is displayed, by IPython's setting."""
    last = tree.body[-1] if tree.body else None
    for statement in tree.body:
        is_expression = isinstance(statement, ast.Expr)
        shown = {
            "all": is_expression,
            "last": statement is last and is_expression,
            "last_expr": statement is last and is_expression,
            "last_expr_or_assign": statement is last and is_expression,
        }
        yield statement, shown.get(interactivity, False)
    if interactivity == "last_expr_or_assign" and isinstance(last, ast.Assign):
        target = last.targets[-1]
        if isinstance(target, ast.Name):
            name = ast.copy_location(ast.Name(target.id, ast.Load()), target)
            yield ast.copy_location(ast.Expr(name), last), True


def run(shell: InteractiveShell, cell: Cell) -> Outcome:
    """Execute `cell` in the user's namespace, and display what IPython would display.

    What the cell raises is returned, not raised. The value of a last expression is returned even
    when it is not displayed.
    """
    value: object = None
    silent = _ends_with_semicolon(shell, cell.source)
    try:
        for position, (statement, shown) in enumerate(cell.statements, start=1):
            is_last = position == len(cell.statements)
            if isinstance(statement, ast.Expr) and (shown or is_last):
                code = shell.compile(ast.Expression(statement.value), cell.filename, "eval")
                # The user's own cell, run once, as IPython would run it.
                value = eval(code, shell.user_global_ns, shell.user_ns)  # noqa: S307
                if shown and not (silent and is_last):
                    shell.displayhook(value)
            else:
                code = shell.compile(ast.Module([statement], []), cell.filename, "exec")
                exec(code, shell.user_global_ns, shell.user_ns)  # noqa: S102
                value = None
    except BaseException as error:  # noqa: BLE001 - handed on, with Ctrl-C and sys.exit()
        return Outcome(error=error.with_traceback(_from_the_cell(error, cell.filename)))
    return Outcome(value)


def _ends_with_semicolon(shell: InteractiveShell, source: str) -> bool:
    ends: Any = shell.displayhook.semicolon_at_end_of_expression
    return bool(ends(source))


def _from_the_cell(error: BaseException, filename: str) -> TracebackType | None:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename != filename:
        traceback = traceback.tb_next
    return traceback or error.__traceback__


def render_as_if_from(error: BaseException, shell: InteractiveShell) -> BaseException:
    """Let IPython show `error` with the traceback that it has now, however far it travels.

    IPython asks an exception for ``_render_traceback_`` before it formats one itself; that keeps
    the frames of a magic out of the user's sight without touching the shell.
    """
    if not isinstance(error, UsageError | SystemExit | CellSyntaxError):
        _render_as(error, _formatted(shell, error, error.__traceback__))
    return error


def shown_in_short(error: BaseException, shell: InteractiveShell) -> BaseException:
    """Let IPython show `error` as one line, below the user's own frames of what caused it."""
    cause = error.__cause__
    lines = [f"{type(error).__name__}: {error}"]
    traceback = None if cause is None else cause.__traceback__
    while traceback is not None and _is_ours(traceback):
        traceback = traceback.tb_next
    if cause is not None and traceback is not None:
        lines = [*_formatted(shell, cause, traceback), "", *lines]
    _render_as(error, lines)
    return error


def _render_as(error: BaseException, lines: list[str]) -> None:
    error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]


def _formatted(
    shell: InteractiveShell, error: BaseException, traceback: TracebackType | None
) -> list[str]:
    lines: list[str] = shell.InteractiveTB.structured_traceback(
        type(error), error, traceback, tb_offset=0
    )
    return lines


def _is_ours(traceback: TracebackType) -> bool:
    module = str(traceback.tb_frame.f_globals.get("__name__"))
    return module.split(".")[0] == __name__.split(".")[0]
