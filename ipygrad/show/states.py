"""How each variable's gradient stands in the course of a pass, in words: never 0 for "not yet"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.engine.core import Array
    from ipygrad.engine.mode import Cut
    from ipygrad.explain.words import Words

Json = dict[str, Any]
NEVER = ("unreached", "constant")
"""How the gradient of a variable stands that never gets one."""
STATES = (
    "not_yet",
    "waiting",
    "arrived",
    "left_over",
    "dropped",
    *NEVER,
    "cut",
)
"""How a gradient may stand."""
STATE_TEXTS = (
    *("variable_label", "box_and_cut", "list"),
    *(f"{form}_{key}" for form in ("box", "state") for key in STATES),
)
"""Keys of the texts that say it: in a box, in words, and in the words for the whole box."""


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
    arrived: Sequence[Arrival],
    number_of: Callable[[Array], Json | int | None],
    dropped_at: int | None = None,
) -> list[list[Any]]:
    """Return the states of a variable's gradient, each from a step on, as the payload has them.

    Parameters
    ----------
    arrived
        What arrives at it.
    number_of
        How the payload has a number.
    dropped_at
        The step after which its gradient is not kept any more, None where it is.
    """
    return [
        [
            step,
            "cut" if node.cut is not None and key in NEVER else key,
            None if gradient is None else number_of(gradient),
            number,
            len(arrived),
        ]
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
