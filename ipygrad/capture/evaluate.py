"""Run the text of a cell as IPython would, once, and tell how it ended."""

from __future__ import annotations

import ast
import inspect
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, TracebackType

    from IPython.core.interactiveshell import InteractiveShell

MAGIC_LINES = 1
"""Lines above the body: the magic's own line is line 1, as in the cell that the user sees."""


class Mode(Enum):
    """How a statement is run."""

    SILENT = "exec"
    """Nothing is displayed."""
    EVALUATED = "eval"
    """The last expression: its value is kept, and displayed or not."""
    INTERACTIVE = "single"
    """Expressions are displayed, also those inside of it."""


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
        What is executed, and how.
    shows_last
        Whether the value of an evaluated statement is displayed.
    """

    filename: str
    source: str
    statements: tuple[tuple[ast.stmt, Mode], ...]
    shows_last: bool

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines below the magic."""
        return tuple(self.source.rstrip("\n").split("\n")[MAGIC_LINES:])


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
    # IPython drops the blank lines at the top, but they count in the cell that the user sees.
    blank = len(text) - len(text.lstrip())
    padding = MAGIC_LINES + text.count("\n", 0, blank)
    source = "\n" * padding + shell.transform_cell(text)
    number = shell.displayhook.prompt_count
    filename: str = shell.compile.cache(source, number, raw_code=source)
    try:
        tree = shell.transform_ast(shell.compile.ast_parse(source, filename=filename))
        for statement in tree.body:
            if _awaits(statement, filename, shell.compile.flags):
                raise UsageError(
                    "%%grad cannot run a cell that awaits at top level. Run the cell without it, "
                    "then write %grad y in the next cell, y being the result"
                )
            shell.compile(ast.Module([statement], []), filename, "exec")
    except SyntaxError as error:
        raise CellSyntaxError(error, shell) from None
    interactivity = shell.ast_node_interactivity
    ends: Any = shell.displayhook.semicolon_at_end_of_expression
    return Cell(
        filename,
        source,
        statements=tuple(_with_modes(tree.body, interactivity)),
        shows_last=interactivity != "none" and not ends(source),
    )


def _awaits(statement: ast.stmt, filename: str, flags: int) -> bool:
    module = ast.Module([statement], [])
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(module, filename, "exec", flags=flags, dont_inherit=True)
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _with_modes(body: list[ast.stmt], interactivity: str) -> Iterator[tuple[ast.stmt, Mode]]:
    """Yield each statement and how it is run, by the shell's ``ast_node_interactivity``."""
    if interactivity == "last_expr_or_assign" and body:
        body = [*body, *_assigned_name(body[-1])]
    for statement in body:
        is_last = statement is body[-1]
        if is_last and isinstance(statement, ast.Expr):
            yield statement, Mode.EVALUATED
        elif interactivity == "all" or (interactivity == "last" and is_last):
            yield statement, Mode.INTERACTIVE
        else:
            yield statement, Mode.SILENT


def _assigned_name(statement: ast.stmt) -> list[ast.stmt]:
    """Return an expression of the one name that `statement` assigns, if it does so."""
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    is_assignment = isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign))
    if is_assignment and len(targets) == 1 and isinstance(targets[0], ast.Name):
        name = ast.copy_location(ast.Name(targets[0].id, ast.Load()), targets[0])
        return [ast.copy_location(ast.Expr(name), statement)]
    return []


def run(
    shell: InteractiveShell, cell: Cell, follow: Callable[[CodeType], None] = lambda _code: None
) -> Outcome:
    """Execute `cell` in the user's namespace, and display what IPython would display.

    What the cell raises is returned, not raised. The value of a last expression is returned even
    when it is not displayed.

    Parameters
    ----------
    follow
        Is told of each piece of code before it runs.
    """
    __tracebackhide__ = True
    value: object = None
    try:
        # The user's own cell, run once, as IPython would run it.
        for statement, mode in cell.statements:
            if mode is Mode.EVALUATED:
                expression = ast.Expression(cast("ast.Expr", statement).value)
                code = shell.compile(expression, cell.filename, mode.value)
                follow(code)
                value = eval(code, shell.user_global_ns, shell.user_ns)  # noqa: S307
                if cell.shows_last:
                    # Not the shell's own: %%capture puts another in its place.
                    sys.displayhook(value)
            else:
                of_kind = ast.Interactive if mode is Mode.INTERACTIVE else _module
                code = shell.compile(of_kind([statement]), cell.filename, mode.value)
                follow(code)
                exec(code, shell.user_global_ns, shell.user_ns)  # noqa: S102
    except BaseException as error:  # noqa: BLE001 - handed on, with Ctrl-C and sys.exit()
        traceback = _without_stand_ins(_from_the_cell(error, cell.filename))
        return Outcome(error=error.with_traceback(traceback))
    return Outcome(value)


def _module(body: list[ast.stmt]) -> ast.Module:
    return ast.Module(body, [])


def _from_the_cell(error: BaseException, filename: str) -> TracebackType | None:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename != filename:
        traceback = traceback.tb_next
    return traceback or error.__traceback__


def _without_stand_ins(traceback: TracebackType | None) -> TracebackType | None:
    """Take out the frames of methods that stand in for the user's while the cell runs."""
    frames = []
    while traceback is not None:
        if not (_is_ours(traceback) and "__tracebackhide__" in traceback.tb_frame.f_locals):
            frames.append(traceback)
        traceback = traceback.tb_next
    for frame, following in zip(frames, [*frames[1:], None], strict=True):
        frame.tb_next = following
    return frames[0] if frames else None


def render_as_if_from(error: BaseException, shell: InteractiveShell) -> BaseException:
    """Let IPython show `error` with the traceback that it has now, however far it travels.

    IPython asks an exception for ``_render_traceback_`` before it formats one itself; that keeps
    the frames of a magic out of the user's sight without touching the shell. `forget_rendering`
    takes it back.
    """
    renders_itself = hasattr(error, "_render_traceback_")
    if not renders_itself and not isinstance(error, UsageError | SystemExit):
        _render_as(error, _formatted(shell, error, error.__traceback__))
    return error


def forget_rendering(error: BaseException) -> None:
    """Let `error` be shown as it is again, should it be raised elsewhere."""
    with suppress(AttributeError, TypeError):
        object.__delattr__(error, "_render_traceback_")


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
    # An exception may refuse attributes, as that of a frozen dataclass does.
    with suppress(AttributeError, TypeError):
        object.__setattr__(error, "_render_traceback_", lambda: lines)


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
