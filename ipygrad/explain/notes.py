"""What a teacher would point at in a step: broken products, changed values, nan and infinity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ipygrad.explain.products import product_holds, product_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipygrad.capture.backward import BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.products import Slope
    from ipygrad.explain.words import Words

NonFinite = Literal["nan", "inf"]


def non_finite(step: BareStep) -> tuple[NonFinite | None, ...]:
    """Return for each input what appears in its contribution and in nothing that arrives.

    An infinite gradient times 0 is nan, so nan can appear where an infinite value arrives; an
    infinite value is no news where nan or another one does.
    """
    if all(c is None or np.isfinite(c).all() for c in step.contributions):
        return (None,) * len(step.contributions)
    arrived_nan = any(np.isnan(cotangent).any() for cotangent in step.cotangents)
    arrived_finite = all(np.isfinite(cotangent).all() for cotangent in step.cotangents)

    def appearing(contribution: Array | None) -> NonFinite | None:
        if contribution is None:
            return None
        if np.isnan(contribution).any():
            return None if arrived_nan else "nan"
        return "inf" if arrived_finite and np.isinf(contribution).any() else None

    return tuple(appearing(contribution) for contribution in step.contributions)


def notes_on(
    words: Words,
    graph: Graph,
    step: BareStep,
    slopes: Sequence[Slope],
    changed: Sequence[str],
    is_first: Callable[[NonFinite], bool],
) -> tuple[str, ...]:
    """Return what a teacher would point at in this step.

    Parameters
    ----------
    slopes
        Local derivative for each input, as for `describe_step`.
    changed
        Names of the variables of which one has changed since the function ran forward.
    is_first
        Tells whether nan, or an infinite value, appears in no earlier step of the pass.
    """
    node = graph.functions[step.function]
    notes = []
    if changed:
        names = words.enumerate(changed, last="or")
        notes.append(words("note_changed", names=names, function=node.label))
    appearing = non_finite(step)
    for argnum, contribution in enumerate(step.contributions):
        if contribution is None:
            continue
        name = graph.variables[node.inputs[argnum]].name
        slope = slopes[argnum]
        if slope is not None and not product_holds(step, argnum, slope):
            notes.append(
                words(
                    "note_product_differs",
                    function=node.label,
                    contribution=words.number(contribution),
                    input=name,
                    product=words.number(product_of(step, argnum, slope)),
                )
            )
        kind = appearing[argnum]
        if kind is not None:
            key = f"note_{kind}_first" if is_first(kind) else f"note_{kind}"
            notes.append(words(key, input=name))
    return tuple(notes)
