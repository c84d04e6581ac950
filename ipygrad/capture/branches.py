"""Which lines of a cell belong to branches that it could have taken, and did not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Branch(NamedTuple):
    """Lines of which either some run or none.

    Attributes
    ----------
    owner
        The statement that decides.
    first
        First line: that of an ``else``, ``elif``, ``except`` or ``case`` where there is one.
    body
        Lines of its statements.
    """

    owner: ast.stmt
    first: int
    body: range


def branches_in(tree: ast.Module, lines: Sequence[str]) -> list[Branch]:
    """Return the branches of a text, also those within each other.

    The bodies of functions are among them, but not those of methods, of which the usual ones run
    when the cell is over: a learner's ``backward``.

    Parameters
    ----------
    tree
        The text.
    lines
        Its lines.
    """
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    methods = {id(inner) for node in classes for inner in node.body if isinstance(inner, FUNCTIONS)}
    return [
        branch
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and id(node) not in methods
        for branch in _branches_of(node, lines)
    ]


def _branches_of(node: ast.stmt, lines: Sequence[str]) -> Iterator[Branch]:
    blocks: list[tuple[int, Sequence[ast.stmt]]] = []
    if isinstance(node, (ast.If, ast.For, ast.While, *FUNCTIONS)):
        blocks.append((node.body[0].lineno, node.body))
    blocks += [(handler.lineno, handler.body) for handler in getattr(node, "handlers", ())]
    if isinstance(node, ast.Match):
        blocks += [(case.pattern.lineno, case.body) for case in node.cases]
    otherwise = getattr(node, "orelse", None)
    if isinstance(otherwise, list) and otherwise:
        blocks.append((_else_above(otherwise[0].lineno, lines), otherwise))
    for first, statements in blocks:
        body = range(statements[0].lineno, (statements[-1].end_lineno or 0) + 1)
        # Of what stands on the line of its condition nothing can be told.
        if body[0] > node.lineno:
            yield Branch(node, first, body)


def _else_above(line: int, lines: Sequence[str]) -> int:
    """Return the line of the ``else`` above a statement, its own for ``elif``."""
    for number in range(line, 0, -1):
        words = lines[number - 1].split("#")[0].replace(":", " ").split()
        if words and words[0] in ("else", "elif"):
            return number
        if words and number < line:
            break
    return line


def untaken_lines(
    branches: Iterable[Branch], ran: AbstractSet[int], stopped_at: AbstractSet[int]
) -> tuple[int, ...]:
    """Return the lines of branches that were not taken.

    Where an error has ended the cell, what comes later was not decided.

    Parameters
    ----------
    branches
        All of the text.
    ran
        Lines that have run.
    stopped_at
        Those at which the error was raised, or went through; none where there was none.
    """
    branches = list(branches)
    blocks: dict[ast.stmt, list[range]] = {}
    for branch in branches:
        blocks.setdefault(branch.owner, []).append(branch.body)
    untaken: set[int] = set()
    for owner, first, body in branches:
        lines = range(owner.lineno, (owner.end_lineno or 0) + 1)
        if ran.isdisjoint(lines) or not ran.isdisjoint(body):
            continue
        stops = stopped_at if isinstance(owner, FUNCTIONS) else stopped_at & set(lines)
        is_decided = isinstance(owner, (ast.If, ast.Match)) and all(
            any(stop in block for block in blocks[owner]) for stop in stops
        )
        if not stops or is_decided:
            untaken.update(range(first, body.stop))
    return tuple(sorted(untaken - ran))
