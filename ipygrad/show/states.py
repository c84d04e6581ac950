"""How each variable's gradient stands in the course of a pass, in words: never 0 for "not yet"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.explain.numbers import exact, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.engine.core import Array
    from ipygrad.engine.mode import Cut
    from ipygrad.explain.words import Words

Json = dict[str, Any]
NEVER = ("unreached", "constant")
"""How the gradient of a variable stands that never gets one."""


class Arrival(NamedTuple):
    """A contribution that arrives at a variable.

    Attributes
    ----------
    step
        Number of the step.
    before, after
        The gradient around it; before is None for "not yet".
    """

    step: int
    before: Array | None
    after: Array | None


def arrivals(
    graph: Graph, run: BackwardRun | None, steps: Sequence[BareStep]
) -> dict[int, list[Arrival]]:
    """Return what arrives at each variable that gets a gradient, by its number."""
    found: dict[int, list[Arrival]] = {}
    if run is not None:
        found[graph.results[0]] = [Arrival(0, None, run.cotangent)]
    for step in steps:
        inputs = graph.functions[step.function].inputs
        for number, before, after in zip(inputs, step.before, step.after, strict=True):
            if after is not None and graph.variables[number].kind != "constant":
                found.setdefault(number, []).append(Arrival(step.index, before, after))
    return found


def box_text(words: Words, key: str, cut: Cut | None, **values: object) -> str:
    """Return what stands in the box of a variable.

    Parameters
    ----------
    key
        How its gradient stands.
    cut
        What made a leaf of it, if functions have computed it.
    values
        What the text needs.
    """
    if cut is not None and key in NEVER:
        return words("box_cut", how=cut)
    box = words(f"box_{key}", **values)
    return box if cut is None else words("box_and_cut", box=box)


def states(
    node: VariableNode,
    value: Json,
    arrived: Sequence[Arrival],
    words: Words,
    dropped_at: int | None = None,
) -> list[Json]:
    """Return the states of a variable's gradient, each from a step on, as the payload has them.

    Parameters
    ----------
    value
        Its value, as the payload has it.
    arrived
        What arrives at it.
    dropped_at
        The step after which its gradient is not kept any more, None where it is.
    """
    return [
        _state(node, value, words, step, key, gradient, number, len(arrived))
        for step, key, gradient, number in _changes(node, arrived, dropped_at)
    ]


def _changes(
    node: VariableNode, arrived: Sequence[Arrival], dropped_at: int | None
) -> Iterator[tuple[int, str, Array | None, int]]:
    """Yield from which step on, what it is, the gradient, and how many contributions are in it."""
    if not arrived:
        yield 0, "constant" if node.kind == "constant" else "unreached", None, 0
        return
    old = arrived[0].before
    yield 0, "not_yet" if old is None else "left_over", old, 0
    for number, arrival in enumerate(arrived, 1):
        is_last = number == len(arrived)
        yield arrival.step, "arrived" if is_last else "waiting", arrival.after, number
    if dropped_at is not None:
        yield dropped_at, "dropped", arrived[-1].after, len(arrived)


def _state(
    node: VariableNode,
    value: Json,
    words: Words,
    step: int,
    key: str,
    gradient: Array | None,
    arrived: int,
    expected: int,
) -> Json:
    shown = "" if gradient is None else words.number(gradient)
    counts = {"arrived": arrived, "expected": expected}
    whole = words(f"state_{key}", value="" if gradient is None else exact(gradient), **counts)
    said = words(f"state_{key}", value=shown, **counts)
    if node.cut is not None:
        cut = words("state_cut", how=node.cut)
        whole, said = (
            cut if key in NEVER else words("list").join((text, cut)) for text in (whole, said)
        )
    shape = shape_text(node.value.shape)
    return {
        "step": step,
        "box": box_text(words, key, node.cut, value=shown, **counts),
        "is_quiet": key != "arrived",
        "label": words("variable_label", name=node.name, value=value["text"], state=said),
        "title": f"{node.name} = {value['exact']} {shape}".rstrip() + f"\n{whole}",
    }
