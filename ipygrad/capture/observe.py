"""Watch a cell run: where each function was called, and what the cell did with gradients itself."""

from __future__ import annotations

import ast
import dis
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from sys import _getframe
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet, ref

from executing import Source

from ipygrad.capture.loops import line_of
from ipygrad.capture.stack import CO_OPTIMIZED, Note, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from ipygrad.capture.lines import CellLines
    from ipygrad.capture.stack import Made


PLACE = ("lineno", "col_offset")
MOST_REMEMBERED = 4096
"""Calls in cells, the latest, whose descriptions are kept for when the same cell runs again."""
KINDS = {"CALL": ast.Call, "BINARY": ast.BinOp, "UNARY": ast.UnaryOp, "INPLACE": ast.AugAssign}
"""Kinds of expressions by how their instructions' names begin, in Python 3.10."""


_Noted = tuple["Callable[[], Any]", "CodeType | None", int, bool, int, int]


class Span(NamedTuple):
    """Where an expression stands: lines as in the cell, columns in characters, the last excluded.

    Attributes
    ----------
    first_line, first_column
        Where it begins; columns count from 0.
    last_line, last_column
        Where it ends.
    """

    first_line: int
    first_column: int
    last_line: int
    last_column: int


class CallSite(NamedTuple):
    """Where in the cell a function was called.

    Attributes
    ----------
    line
        Line of the cell, the magic's line being 1.
    source
        The calling expression, in one line; None where it cannot be told.
    targets
        Names that the expression's value was assigned to, one for each output.
    arguments
        Sources of the operands or positional arguments.
    span
        Where the expression stands; None where `source` is None.
    """

    line: int
    source: str | None
    targets: tuple[str, ...]
    arguments: tuple[str, ...]
    span: Span | None = None


class Observer:
    """Witness of one cell: notes every recorded call, and every gradient that the cell made.

    Parameters
    ----------
    filename
        The cell's name in code objects.

    Attributes
    ----------
    assigned
        Variables whose ``grad`` the cell assigned.
    ran_backward_from
        Variables whose ``backward()`` the cell called.
    called_backward_of
        Functions whose ``backward`` method the cell called by hand, in order.
    """

    def __init__(self, filename: str) -> None:
        self._filename = filename
        # Where an output was made: an instruction of the cell, whose value it may be; inside which
        # call, and after how many others.
        self._calls: dict[int, _Noted] = {}
        self._count = 0
        self._latest: tuple[Any, ...] = ()
        self._stack = Stack(filename)
        self._lines: CellLines | None = None
        self._counts_turns = False
        # The cell's own code, and that of a function of an engine that was the latest to run.
        self._own_code: CodeType | None = None
        self._plain: CodeType | None = None
        self._made: dict[int, Made] | None = None
        self._callee: FrameType | None = None
        # By identity: code objects of different lines or cells can be equal. They are kept here, so
        # that no other gets their number.
        self._sites: dict[tuple[int, int, bool], tuple[CodeType, CallSite]] = {}
        # Weak: a loop that trains for long makes many results.
        self.assigned: WeakSet[Any] = WeakSet()
        self.ran_backward_from: WeakSet[Any] = WeakSet()
        self.called_backward_of: list[Any] = []

    @contextmanager
    def watching_lines(self, lines: CellLines) -> Iterator[None]:
        """Watch the lines of the code that `follow` is told of."""
        self._lines = self._stack.lines = lines
        with lines.watching():
            self._counts_turns = lines.is_counting
            yield

    def follow(self, code: CodeType) -> None:
        """Hear of code of the cell that is about to run."""
        if self._lines is not None:
            self._lines.follow(code)

    def stopped_by(self, error: BaseException) -> None:
        """Hear what has ended the cell."""
        if self._lines is not None:
            self._lines.stopped_by(error, self._filename)

    @property
    def untaken(self) -> tuple[int, ...]:
        """Lines of the branches that the cell has not taken, as far as it is known."""
        return () if self._lines is None else self._lines.untaken

    def noted(self, outputs: tuple[Any, ...], frame: FrameType | None = None) -> None:
        """Note that `outputs` were made, and the innermost line of the cell that is running.

        Of all that one call from the cell makes, the last is its value.

        Parameters
        ----------
        frame
            Who called what made them, or whom that called in turn; the engine, which calls this,
            says nothing.
        """
        # It runs at each call of a function, so each operation here is one too many.
        calls = self._calls
        self._count = order = self._count + 1
        # Most often the cell calls a function that makes one thing. One of the engine has a frame
        # of its own, which is not asked for: Python would have to make it first.
        cell = _getframe(3) if frame is None else frame
        own = cell.f_code
        if own is self._own_code and self._callee is None and len(outputs) == 1:
            (output,) = outputs
            call = self._stack.turn_in(0, cell) if self._counts_turns else 0
            try:
                calls[id(output)] = ref(output), own, cell.f_lasti, True, call, order
            except TypeError:
                calls[id(output)] = reference_to(output), own, cell.f_lasti, True, call, order
            return
        if frame is None:
            frame = _getframe(2)
        start = frame
        callee: FrameType | None = None
        code: CodeType | None = frame.f_code
        while frame is not None and code is not None and code.co_filename != self._filename:
            callee, frame = frame, frame.f_back
            code = None if frame is None else frame.f_code
        if callee is not None and callee is self._callee:
            for output in self._latest:
                reference, at, where, _, around, before = calls[id(output)]
                calls[id(output)] = reference, at, where, False, around, before
        self._latest = outputs
        instruction = -1 if frame is None else frame.f_lasti
        is_direct = callee is None or (callee is start and start.f_code is self._plain)
        if is_direct and frame is not None and code is self._own_code:
            call = self._stack.turn_in(0, frame)
        else:
            call = self._call_of(start, frame)
        # What the engine's own functions make for the cell they make at once.
        self._callee = None if is_direct else callee
        for output in outputs:
            calls[id(output)] = reference_to(output), code, instruction, True, call, order

    def _call_of(self, start: FrameType, frame: FrameType | None) -> int:
        """Return the call that `start` runs in, and remember codes that are no call."""
        if frame is not None and not frame.f_code.co_flags & CO_OPTIMIZED:
            self._own_code = frame.f_code
        call = self._stack.call_of(start)
        if self._stack.is_plain(start.f_code):
            self._plain = start.f_code
        return call

    def rest(self) -> None:
        """Let go of what was noted last: the cell has run."""
        self._callee, self._latest = None, ()
        self._stack.rest()

    def knows(self, output: object) -> bool:
        """Tell whether somebody has noted how `output` was made."""
        noted = self._calls.get(id(output))
        return noted is not None and noted[0]() is output

    def ran_backward(self, result: object) -> None:
        """Note that the cell ran a backward pass."""
        self.ran_backward_from.add(result)

    def left_gradients(self, result: object) -> None:
        """Hear that a backward pass has left gradients that can be differentiated again."""

    def assigned_grad(self, variable: object) -> None:
        """Note that the cell assigned a gradient by hand."""
        self.assigned.add(variable)

    def made(self) -> list[Any]:
        """Return what the calls made and somebody still holds, in order."""
        living = (noted[0]() for noted in self._calls.values())
        return [output for output in living if output is not None]

    def site_of(self, output: object) -> CallSite | None:
        """Return where `output` was made, None if not in this cell."""
        if not self.knows(output):
            return None
        _, code, instruction, is_value, _, _ = self._calls[id(output)]
        if code is None:
            return None
        place = (id(code), instruction, is_value)
        if place not in self._sites:
            if is_value:
                site = _describe(code.co_filename, code.co_linetable, code, instruction)
            else:
                site = CallSite(line_of(code, instruction), None, (), ())
            self._sites[place] = (code, site)
        return self._sites[place][1]

    def made_in(self, output: object) -> Made | None:
        """Return when and in which calls and turns `output` was made; None if it is not known.

        It is asked for when the cell has run.
        """
        if not self.knows(output):
            return None
        if self._made is None:
            notes = (
                Note(order, call, code, instruction, is_value)
                for _, code, instruction, is_value, call, order in self._calls.values()
            )
            self._made = {made.order: made for made in self._stack.made(notes)}
        return self._made[self._calls[id(output)][-1]]

    def called_backward(self, function: object, frame: FrameType) -> None:
        """Note a call of a function's ``backward``, in `frame`, if it is written in the cell."""
        caller = None if frame.f_back is None else frame.f_back.f_code
        if caller is None or caller.co_filename != self._filename:
            return
        # One backward that calls another (super().backward(gy)) is the engine's doing.
        if caller.co_name != "backward":
            self.called_backward_of.append(function)


def reference_to(output: Any) -> Callable[[], Any]:
    """Return a weak reference, or what does as one where the class of `output` allows none."""
    try:
        return ref(output)
    except TypeError:  # a class with __slots__
        return lambda: output


def calls_a_backward_with_arguments(source: str) -> bool:
    """Tell whether Python text contains ``something.backward(argument)``."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "backward"
        and bool(node.args)
        for node in ast.walk(ast.parse(source))
    )


@lru_cache(maxsize=MOST_REMEMBERED)
def _describe(_filename: str, _lines: bytes, code: CodeType, instruction: int) -> CallSite:
    """Describe a call, by its code, which may equal that of other lines or cells, and by those."""
    # A cell that is run again has the same calls in new code objects, and `executing` would keep
    # what it finds, and the code, for each of them.
    line = line_of(code, instruction)
    # `executing` asks a frame for no more than this; the frame itself has moved on since.
    frame: Any = SimpleNamespace(
        f_code=code, f_lasti=instruction, f_lineno=line, f_globals={}, f_builtins={}
    )
    found = Source.executing(frame)
    node: Any = found.node or _node_at(code, instruction, found.source)
    if node is None:
        return CallSite(line, None, (), ())
    source = found.source
    return CallSite(
        line,
        _text(node, source),
        _targets(node),
        tuple(_text(a, source) for a in _arguments(node)),
        _span(node, source),
    )


def _node_at(code: CodeType, instruction: int, source: Any) -> ast.AST | None:
    """Find the expression by its position, where a line of several statements is ambiguous."""
    if source.tree is None:  # a form feed in a string, where IPython ends a line
        return None
    if not hasattr(code, "co_positions"):  # Python 3.10
        return _only_node(code, instruction, source)
    line, end_line, column, end_column = next(islice(code.co_positions(), instruction // 2, None))
    for node in ast.walk(source.tree):
        # The syntax tree counts columns in UTF-8 bytes, as the code object does.
        place = [getattr(node, f"{end}{what}", None) for end in ("", "end_") for what in PLACE]
        if place == [line, column, end_line, end_column] and not isinstance(node, ast.Expr):
            return node
    return None


def _only_node(code: CodeType, instruction: int, source: Any) -> ast.AST | None:
    """Find the expression by its line and kind, where there is only one of them."""
    name = dis.opname[code.co_code[instruction]]
    kind = next((k for prefix, k in KINDS.items() if name.startswith(prefix)), ())
    statements = source.statements_at_line(line_of(code, instruction))
    nodes = [node for s in statements for node in ast.walk(s) if isinstance(node, kind)]
    return nodes[0] if len(nodes) == 1 else None


def _text(node: ast.AST, source: Any) -> str:
    if isinstance(node, ast.AugAssign):
        return f"{ast.unparse(node.target)} {_operator(node)} {ast.unparse(node.value)}"
    segment = ast.get_source_segment(source.text, node)
    return ast.unparse(node) if segment is None or "\n" in segment else segment


def _span(node: Any, source: Any) -> Span:
    lines = source.text.split("\n")

    def characters(line: int, column: int) -> int:
        # The syntax tree counts columns in UTF-8 bytes.
        return len(lines[line - 1].encode()[:column].decode())

    first, last = node.lineno, node.end_lineno
    return Span(
        first, characters(first, node.col_offset), last, characters(last, node.end_col_offset)
    )


def _operator(node: ast.AugAssign) -> str:
    return ast.unparse(node).split("=")[0].rsplit(" ", 1)[1]


def _arguments(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.AugAssign):
        return [node.target, node.value]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Call) and not any(isinstance(a, ast.Starred) for a in node.args):
        return node.args
    return []


def _targets(node: Any) -> tuple[str, ...]:
    """Names that take the value of the expression `node`."""
    if isinstance(node, ast.AugAssign):
        return _names(node.target)
    parent: Any = getattr(node, "parent", None)
    if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)) and parent.value is node:
        return _names(parent.target)
    if isinstance(parent, ast.Assign):
        return _names(parent.targets[0])
    grandparent = getattr(parent, "parent", None)
    if isinstance(parent, ast.Tuple) and isinstance(grandparent, ast.Assign):
        position = parent.elts.index(node)
        names = _names(grandparent.targets[0])
        return names[position : position + 1] if len(names) == len(parent.elts) else ()
    return ()


def _names(target: ast.expr) -> tuple[str, ...]:
    if isinstance(target, (ast.Tuple, ast.List)):
        return tuple(ast.unparse(element) for element in target.elts)
    return (ast.unparse(target),)
