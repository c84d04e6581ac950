"""Which variable a cell's backward pass starts from, and whether the cell ran that pass itself."""

from __future__ import annotations

import ast
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ipygrad.capture.observe import calls_a_backward_with_arguments
from ipygrad.engine.core import Function, Variable, watching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ipygrad.capture.graph import Graph
    from ipygrad.capture.observe import Observer

_SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)


@contextmanager
def observing(source: str, observer: Observer) -> Iterator[None]:
    """Let `observer` see what the engine does for the code inside, whose text is `source`."""
    by_hand = False
    # What is no Python says so when it is run.
    with suppress(SyntaxError):
        by_hand = calls_a_backward_with_arguments(source)
    with watching(observer):
        if not by_hand:
            yield
            return
        with observer.backward_methods_called(lambda owner: isinstance(owner, Function)):
            yield


def find_result(
    source: str, value: object, observer: Observer, namespace: Mapping[str, object]
) -> Variable | None:
    """Return what a cell that names no result most likely means by it.

    In this order: its last expression; the output of the first function whose ``backward`` it
    calls by hand; what it computes and assigns last, to a name or to a place such as ``d["y"]``;
    the last name in its text that holds an earlier result; the last thing that it computes at all.

    Parameters
    ----------
    source
        Python text of the cell.
    value
        Value of its last expression.
    observer
        Who watched it run.
    namespace
        The user's names after the run.
    """
    if isinstance(value, Variable):
        return value
    for function in observer.called_backward_of:
        for output in function.outputs if function.is_recorded else ():
            if isinstance(output, Variable) and output.creator is not None:
                return output
    made: list[Variable] = observer.made()
    assigned = _held(_assigned_from_the_end(source), namespace)
    fresh = set(made)
    named = next((v for v in assigned if v in fresh), None)
    stored = next((v for v in reversed(made) if _is_stored_elsewhere(v, observer)), None)
    if stored is not None and _line(stored, observer) > _line(named, observer):
        return stored
    if named is not None:
        return named
    used = _held(_used_from_the_end(source), namespace)
    return next(iter([*assigned, *used, *reversed(ends(made))]), None)


def ends(made: Iterable[Variable]) -> list[Variable]:
    """Return those of the variables that no function of theirs goes on from."""
    made = [y for y in made if isinstance(y.creator, Function)]
    used = {x for y in made if y.creator is not None for x in y.creator.inputs}
    return [y for y in made if y not in used]


def ran_backward_itself(graph: Graph, observer: Observer) -> bool:
    """Tell whether the cell ran a backward pass on `graph`, or assigned its gradients by hand."""
    in_graph = {node.variable for node in graph.variables}
    computed = {node.variable for node in graph.variables if node.creator is not None}
    if in_graph.intersection(observer.ran_backward_from) or computed.intersection(
        observer.assigned
    ):
        return True
    # A pass that began further on, and may be gone by now, has left its traces.
    if any(y.grad is not None for y in computed.intersection(observer.made())):
        return True
    return any(computed & _behind(result) for result in observer.ran_backward_from)


def _behind(result: Variable) -> set[Variable]:
    found = {result}
    waiting = [result]
    while waiting:
        creator = waiting.pop().creator
        if isinstance(creator, Function):
            new = set(creator.inputs) - found
            found |= new
            waiting.extend(new)
    return found


def _held(names: Iterable[str], namespace: Mapping[str, object]) -> list[Variable]:
    """Return the results among what names hold."""
    values = (namespace.get(name) for name in names)
    return [v for v in values if isinstance(v, Variable) and v.creator is not None]


def _is_stored_elsewhere(variable: Variable, observer: Observer) -> bool:
    site = observer.site_of(variable)
    return site is not None and any(not target.isidentifier() for target in site.targets)


def _line(variable: Variable | None, observer: Observer) -> int:
    site = None if variable is None else observer.site_of(variable)
    return 0 if site is None else site.line


def _assigned_from_the_end(source: str) -> list[str]:
    return [name.id for name in _assigned(ast.parse(source).body)][::-1]


def _assigned(statements: Iterable[ast.AST]) -> Iterator[ast.Name]:
    """Yield the names that statements assign, in the order in which they would do so.

    What is inside functions, classes and comprehensions is local to them and does not count.
    """
    for statement in statements:
        if isinstance(statement, _SCOPES):
            continue
        children = list(ast.iter_child_nodes(statement))
        nodes = [n for c in children if not isinstance(c, _BLOCKS) for n in _walk(c)]
        inner = [node.target for node in nodes if isinstance(node, ast.NamedExpr)]
        yield from inner
        for node in nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in inner:
                yield node
        yield from _assigned(child for child in children if isinstance(child, _BLOCKS))


def _used_from_the_end(source: str) -> list[str]:
    names = [node for node in _walk(ast.parse(source)) if isinstance(node, ast.Name)]
    return [n.id for n in sorted(names, key=lambda n: (n.lineno, n.col_offset), reverse=True)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `node` and what is in it, but for functions, classes and comprehensions."""
    if not isinstance(node, _SCOPES):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _walk(child)
