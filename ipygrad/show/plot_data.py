"""What plots are drawn from, as data: written, and read again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from ipygrad.explain.broadcasting import is_repeated
from ipygrad.explain.jacobian import MOST_CELLS
from ipygrad.explain.local import Kind, LocalDerivative
from ipygrad.explain.marks import MOST_MARKS, Mark, MarkKind
from ipygrad.explain.sampling import Samples
from ipygrad.explain.structure import STRUCTURES
from ipygrad.show.entries import Entry, plain

if TYPE_CHECKING:
    from ipygrad.engine.core import Array
    from ipygrad.show.payload import Json


def plot_data(local: LocalDerivative | None) -> Json | None:
    """Return a local derivative as `ipygrad.show.document` describes it; None stays None."""
    if local is None:
        return None
    return {
        "kind": local.kind,
        "argnum": local.argnum,
        "label": local.label,
        "x_name": local.x_name,
        "y_name": local.y_name,
        "x": plain(local.x),
        "y": plain(local.y),
        "slope": plain(local.slope),
        "samples": None
        if local.samples is None
        else {
            "u": plain(local.samples.u),
            "f": plain(local.samples.f),
            "slope": plain(local.samples.slope),
        },
        "arity": local.arity,
        "jacobian": plain(local.jacobian),
        "structure": local.structure,
        "marks": [
            {"kind": mark.kind, "where": mark.where, "ratio": plain(mark.ratio)}
            for mark in local.marks
        ],
        "chosen": list(local.chosen),
    }


class Site(NamedTuple):
    """Where a plot belongs: which input of how many, and arrays like those around the function."""

    argnum: int
    arity: int
    x: Array
    ys: tuple[Array, ...]


def read_plot(entry: Entry, at: Site) -> LocalDerivative:
    """Read what a plot is drawn from.

    Raises
    ------
    ValueError
        For what does not fit its function, and for a Jacobian or marks that are more than
        `ipygrad.explain` finds.
    """
    kinds: tuple[Kind, ...] = get_args(Kind)
    kind = entry.field("kind").one_of(kinds)
    y = at.ys[0] if len(at.ys) == 1 else np.concatenate([*map(np.ravel, at.ys)])
    is_of_numbers = at.x.ndim == y.ndim == 0
    if (kind == "curve" and not is_of_numbers) or (
        kind == "points" and (not y.size or not is_repeated(y.shape, at.x.shape))
    ):
        raise entry.field("kind").fail("one that a function of such arrays has")
    is_jacobian = kind == "jacobian"
    samples = entry.field("samples")
    return LocalDerivative(
        kind=kind,
        argnum=entry.field("argnum").one_of((at.argnum,)),
        label=entry.field("label").text(),
        x_name=entry.field("x_name").text(),
        y_name=entry.field("y_name").text(),
        x=_value(entry.field("x"), at.x, kind),
        y=_value(entry.field("y"), y, kind),
        slope=None if is_jacobian else _value(entry.field("slope"), y.astype(np.float64), kind),
        samples=None if is_jacobian else _samples(samples),
        arity=entry.field("arity").one_of((at.arity,)),
        jacobian=_jacobian(entry.field("jacobian"), (*y.shape, *at.x.shape), kind),
        structure=entry.field("structure").one_of((None, *STRUCTURES)),
        marks=tuple(_mark(mark) for mark in entry.field("marks").items(most=MOST_MARKS + 1)),
        chosen=tuple(
            place.whole(length)
            for place, length in zip(
                entry.field("chosen").items(y.ndim if kind == "points" else 0),
                y.shape if kind == "points" else (),
                strict=True,
            )
        ),
    )


def _value(entry: Entry, like: Array, kind: Kind) -> float | Array:
    return entry.number() if kind == "curve" else entry.array(like.shape, like.dtype)


def _jacobian(entry: Entry, shape: tuple[int, ...], kind: Kind) -> Array | None:
    if entry.value is None:
        return None
    if kind != "jacobian" or math.prod(shape) > MOST_CELLS:
        raise entry.fail("null for such a function")
    return entry.array(shape)


def _samples(entry: Entry) -> Samples:
    count = len(entry.field("u").items())
    u, f, slope = (entry.field(name).array((count,)) for name in ("u", "f", "slope"))
    if not (np.isfinite(u).all() and (np.diff(u) >= 0).all()):
        raise entry.field("u").fail("a list of ascending numbers")
    return Samples(u, f, slope)


def _mark(entry: Entry) -> Mark:
    kinds: tuple[MarkKind, ...] = get_args(MarkKind)
    where = entry.field("where")
    if not math.isfinite(where.number()):
        raise where.fail("a finite number")
    return Mark(entry.field("kind").one_of(kinds), where.number(), entry.field("ratio").number())
