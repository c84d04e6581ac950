"""The loops of a cell: where they stand in the text, and where in the bytecode a turn begins."""

from __future__ import annotations

import ast
import dis
import sys
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
LOOPS = (ast.For, ast.While, *COMPREHENSIONS)
AT_ITERABLES = sys.version_info >= (3, 13)
"""Whether Python says that it asks for the next item where the iterable stands, and not where the
whole loop does."""
_ENDS = (ast.Break, ast.Return)

Position = tuple["int | None", "int | None", "int | None", "int | None"]


class Loop(NamedTuple):
    """A loop as it stands in the text.

    Attributes
    ----------
    line, end_line
        Its first and its last line.
    first, last
        Lines of its body where that has lines of its own; else 1, 0.
    counts_begun
        Whether Python jumps back only when another turn begins: a ``while`` is tested at its end.
    is_counted
        Whether it can be told how many turns it had when it is over.
    """

    line: int
    end_line: int
    first: int = 1
    last: int = 0
    counts_begun: bool = False
    is_counted: bool = True


class LoopsInText:
    """The loops of a text, found by what bytecode knows of them.

    Parameters
    ----------
    tree
        The text.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._at: dict[Position, Loop] = {}
        self._at_line: dict[int, Loop] = {}
        self._whiles: dict[int, list[Loop]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.For):
                loop = self._at_line[node.lineno] = _statement(node)
                self._at[_position(node.iter if AT_ITERABLES else node)] = loop
            elif isinstance(node, COMPREHENSIONS):
                loop = Loop(node.lineno, node.end_lineno or node.lineno)
                iterables = [part.iter for part in node.generators]
                for place in iterables if AT_ITERABLES else [node]:
                    self._at[_position(place)] = loop
            elif isinstance(node, ast.While):
                self._add(node)

    def _add(self, node: ast.While) -> None:
        loop = at_body = _statement(node)
        if not loop.last:
            at_body = loop._replace(is_counted=False)
        elif not isinstance(node.test, ast.Constant):
            self._whiles.setdefault(node.test.lineno, []).append(loop)
            ends_early = any(isinstance(inner, _ENDS) for inner in ast.walk(node))
            at_body = loop._replace(counts_begun=True, is_counted=not ends_early)
        first = node.body[0]
        lines = [first.lineno]
        if not hasattr(first, "body"):
            lines = [*range(first.lineno, (first.end_lineno or first.lineno) + 1)]
        for line in lines:
            self._whiles.setdefault(line, []).append(at_body)

    def for_loop(self, code: CodeType, instruction: int) -> Loop:
        """Return the loop whose next item an instruction asks for."""
        line = line_of(code, instruction)
        if hasattr(code, "co_positions"):
            first, last, begin, end = next(islice(code.co_positions(), instruction // 2, None))
            return self._at.get((first, last, begin, end)) or Loop(line, line)
        # Python 3.10, in which each comprehension has a code of its own.
        is_comprehension = code.co_name in ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
        loop = None if is_comprehension else self._at_line.get(line)
        return loop or Loop(line, line)

    def while_loop(self, line: int) -> Loop | None:
        """Return the loop that jumps back to a line; None where there is none, or are several."""
        loops = self._whiles.get(line, [])
        return loops[0] if len(loops) == 1 else None


def _statement(node: ast.For | ast.While) -> Loop:
    end = node.end_lineno or node.lineno
    head = node.iter if isinstance(node, ast.For) else node.test
    first, last = node.body[0].lineno, node.body[-1].end_lineno or end
    has_lines = first > (head.end_lineno or 0)
    return Loop(node.lineno, end, first, last) if has_lines else Loop(node.lineno, end)


def _position(node: ast.expr | ast.stmt) -> Position:
    return (node.lineno, node.end_lineno or 0, node.col_offset, node.end_col_offset or 0)


class _Mark(NamedTuple):
    """Where Python jumps back to, and from where to where it is in the loop."""

    loop: Loop | None
    begin: int
    end: int
    is_for: bool


class LoopsInCode:
    """The loops of a code object, each known by its mark: the offset that it jumps back to.

    Parameters
    ----------
    code
        The code.
    text
        The loops of its text.

    Attributes
    ----------
    marks
        What is known of each.
    inside
        The marks of the loops within each loop.
    """

    def __init__(self, code: CodeType, text: LoopsInText) -> None:
        self._code = code
        self.marks = dict(_marks(code, text))
        self.inside = {mark: [*self._inside(mark)] for mark in self.marks}
        self._around: dict[int, tuple[int, ...]] = {}

    def around(self, instruction: int) -> tuple[int, ...]:
        """Return the marks of the loops that an instruction stands in the body of, outermost first.

        What a handler of exceptions does stands elsewhere in the bytecode, but on a line of a body.
        """
        if instruction not in self._around:
            line = line_of(self._code, instruction)
            found: dict[Loop, int] = {}
            for mark, (loop, begin, end, is_for) in sorted(self.marks.items()):
                if loop is None:
                    continue
                is_within = begin < instruction < end and (is_for or not loop.last)
                if is_within or (loop not in found and loop.first <= line <= loop.last):
                    # Two loops of one line may look the same.
                    found[loop if loop.last else loop._replace(first=-mark)] = mark
            self._around[instruction] = tuple(found.values())
        return self._around[instruction]

    def _inside(self, mark: int) -> Iterator[int]:
        loop, _, end, _ = self.marks[mark]
        for other, (inner, *_) in self.marks.items():
            if mark < other < end:
                yield other
            elif loop and inner and other != mark and loop.first <= inner.line <= loop.last:
                # In a handler, which stands elsewhere.
                yield other

    def is_jump(self, mark: int) -> bool:
        """Tell whether a line never begins at a mark but by a jump back to it."""
        loop, _, _, is_for = self.marks[mark]
        return is_for or loop is None or not loop.last


def _marks(code: CodeType, text: LoopsInText) -> Iterator[tuple[int, _Mark]]:
    instructions = {one.offset: one for one in dis.get_instructions(code)}
    ends: dict[int, int] = {}
    for offset, one in instructions.items():
        if one.opname.startswith("FOR_ITER"):
            ends.setdefault(offset, one.argval)
        elif "JUMP" in one.opname and "NO_INTERRUPT" not in one.opname and one.argval <= offset:
            ends[one.argval] = max(ends.get(one.argval, 0), offset + 1)
    for mark, end in ends.items():
        one = instructions[mark]
        if one.opname.startswith("FOR_ITER"):
            yield mark, _Mark(text.for_loop(code, mark), mark, one.argval, is_for=True)
        else:
            loop = text.while_loop(line_of(code, mark))
            yield mark, _Mark(loop, mark - 1, end, is_for=False)


def line_of(code: CodeType, instruction: int) -> int:
    """Return the line that an instruction belongs to."""
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if number is not None and start <= instruction < end:
            line = number
    return line
