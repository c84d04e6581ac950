"""Which variable a cell's backward pass starts from, and whether the cell ran that pass itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ipygrad.engine.core import Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ipygrad.capture.adapters import Engines
    from ipygrad.capture.adapters.captured import Captured
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


def find_result(
    source: str,
    value: object,
    observer: Observer,
    engines: Engines,
    namespace: Mapping[str, object],
) -> object | None:
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
    engines
        Who can tell results from other values.
    namespace
        The user's names after the run.
    """
    # Other engines keep gradients in variables, and x.grad is a usual last line.
    if isinstance(value, Variable) or engines.is_result(value):
        return value
    for function in observer.called_backward_of:
        for output in function.outputs if function.is_recorded else ():
            if isinstance(output, Variable) and output.creator is not None:
                return output
    made: list[object] = observer.made()
    assigned = _held(_assigned_from_the_end(source), engines, namespace)
    fresh = {id(v) for v in made}
    named = next((v for v in assigned if id(engines.identity_of(v)) in fresh), None)
    stored = next((v for v in reversed(made) if _is_stored_elsewhere(v, observer)), None)
    if stored is not None and _line(stored, observer) > _line(named, observer):
        return stored
    if named is not None:
        return named
    used = _held(_used_from_the_end(source), engines, namespace)
    return next(iter([*assigned, *used, *reversed(ends(made, engines))]), None)


def as_results(value: object, engines: Engines) -> list[object]:
    """Return the results that a tuple or list holds; none where it holds anything else, too."""
    results = list(value) if isinstance(value, (tuple, list)) else []
    return results if all(map(engines.is_result, results)) else []


def is_on_the_way(
    result: object,
    value: object,
    observer: Observer,
    engines: Engines,
    namespace: Mapping[str, object],
) -> bool:
    """Tell whether a result is the last of several that a cell has made and that nothing leads to.

    Parameters
    ----------
    result
        As `find_result` returned it.
    value
        Value of the cell's last expression.
    observer
        Who watched it run.
    engines
        Who can tell results from other values.
    namespace
        The user's names after the run.
    """
    if _is_stored_elsewhere(result, observer):
        return False
    held = {id(value)}
    for one in namespace.values():
        held.add(id(one))
        if isinstance(one, (list, tuple, dict)):
            held.update(map(id, one.values() if isinstance(one, dict) else one))
    return id(result) not in held and len(ends(observer.made(), engines)) > 1


def find_left_out(
    source: str, value: object, engines: Engines, namespace: Mapping[str, object]
) -> tuple[str, str] | None:
    """Return what the text calls its last variable that was left without a creator, and why.

    Parameters
    ----------
    source
        Python text that has no result.
    value
        Value of its last expression.
    engines
        Who remembers.
    namespace
        The user's names after the run.
    """
    named = [(name, namespace.get(name)) for name in _used_from_the_end(source)]
    for last in ast.parse(source).body[-1:]:
        if isinstance(last, ast.Expr):
            named.insert(0, (ast.unparse(last.value), value))
    reasons = ((name, engines.why_left_out(variable)) for name, variable in named)
    return next(((name, reason) for name, reason in reasons if reason is not None), None)


def ends(made: Iterable[object], engines: Engines) -> list[Any]:
    """Return those of the results that no function goes on from."""
    results = [y for y in made if engines.is_result(y)]
    used = {id(engines.identity_of(x)) for y in results for x in engines.inputs_behind(y)}
    return [y for y in results if id(engines.identity_of(y)) not in used]


def ran_backward_itself(
    captured: Captured, observer: Observer, passes: Sequence[object], engines: Engines
) -> bool:
    """Tell whether the cell ran a backward pass on a graph, or assigned its gradients by hand.

    Parameters
    ----------
    captured
        The graph.
    observer
        Who watched the cell.
    passes
        The variables whose ``backward()`` the cell called.
    engines
        Who knows what is behind these.
    """
    graph, translation = captured
    computed = {node.variable for node in graph.variables if node.creator is not None}
    if translation is not None:
        own = {id(translation.identity_of(mirror)) for mirror in computed}
        return any(own & engines.behind(result) for result in passes)
    in_graph = {node.variable for node in graph.variables}
    if in_graph.intersection(observer.ran_backward_from):
        return True
    if computed.intersection(observer.assigned):
        return True
    # A pass that began further on, and may be gone by now, has left its traces.
    if any(y.grad is not None for y in computed.intersection(observer.made())):
        return True
    numbers = {id(y) for y in computed}
    return any(numbers & engines.behind(result) for result in passes)


def _held(names: Iterable[str], engines: Engines, namespace: Mapping[str, object]) -> list[object]:
    """Return the results among what names hold."""
    values = (namespace.get(name) for name in names)
    return [v for v in values if engines.is_result(v)]


def _is_stored_elsewhere(variable: object, observer: Observer) -> bool:
    site = observer.site_of(variable)
    return site is not None and any(not target.isidentifier() for target in site.targets)


def _line(variable: object | None, observer: Observer) -> int:
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
