"""Contributions of the functions that reorder, pick, repeat or join elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine import functions
from ipygrad.explain.formulas.rule import Rules, Site, axis_text, contribution, summed
from ipygrad.explain.terms import Call, Item, Reshaped

if TYPE_CHECKING:
    from ipygrad.engine.core import Array
    from ipygrad.explain.formula import Formula


def _back(at: Site, name: str, options: str = "") -> Formula:
    """Put elements back to where forward took them from; what was taken twice is added up."""
    shape, size, forward = at.shape, at.value().size, at.function.forward

    def put_back(gy: Array) -> Array:
        back = np.zeros(size)
        np.add.at(back, forward(np.arange(size).reshape(shape)), gy)
        return back.reshape(shape)

    return Call(name, put_back, (at.gy,), f"{shape}{options}")


def _turned(at: Site) -> Formula:
    axes = at.function.axes
    ndim = len(at.shape)
    if ndim == 2 and (axes is None or [i % 2 for i in axes] == [1, 0]):
        return at.gy.T
    back = None if axes is None else np.argsort([i % ndim for i in axes]).tolist()
    text = "" if back is None else str(tuple(back))
    return Call("transpose", lambda value: np.transpose(value, back), (at.gy,), text)


def _swapped(at: Site) -> Formula:
    one, two = at.function.axis1, at.function.axis2
    return Call("swapaxes", lambda value: np.swapaxes(value, one, two), (at.gy,), f"{one}, {two}")


def _moved(at: Site) -> Formula:
    to, since = at.function.source, at.function.destination
    return Call("moveaxis", lambda value: np.moveaxis(value, since, to), (at.gy,), f"{since}, {to}")


def _flipped(at: Site) -> Formula:
    axis = at.function.axis
    return Call("flip", lambda value: np.flip(value, axis), (at.gy,), axis_text(axis))


def _rolled(at: Site) -> Formula:
    shift, axis = at.function.shift, at.function.axis
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    text = ", ".join(filter(None, [str(back), axis_text(axis)]))
    return Call("roll", lambda value: np.roll(value, back, axis), (at.gy,), text)


def _retyped(at: Site) -> Formula:
    dtype = at.value().dtype
    return Call("astype", lambda value: np.asarray(value, dtype), (at.gy,), dtype.name)


def _picked(at: Site) -> Formula:
    return Item(at.gy, at.function.index, index_text(at.function.index))


def index_text(index: Any) -> str:
    """Return an index as it is written between brackets; of an array only its shape."""
    parts = index if isinstance(index, tuple) else (index,)
    return ", ".join(map(_part_text, parts))


def _part_text(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
        return ":".join([*ends, *([] if part.step is None else [str(part.step)])])
    if part is Ellipsis:
        return "…"
    return f"array {np.shape(part)}" if np.ndim(part) else str(part)


def _put(at: Site) -> Formula:
    return _back(at, "put_back", f", [{index_text(at.function.index)}]")


def _copies(at: Site) -> Formula:
    return _back(at, "sum_of_copies")


def _part(at: Site) -> Formula:
    axis = at.function.axis
    lengths = [x.data.size if axis is None else x.data.shape[axis] for x in at.function.inputs]
    start = sum(lengths[: at.argnum])
    along = 0 if axis is None else axis % len(at.shape)
    index = (*(slice(None),) * along, slice(start, start + lengths[at.argnum]))
    return Reshaped(Item(at.gy, index, index_text(index)), at.shape)


def _layer(at: Site) -> Formula:
    axis = at.function.axis % (len(at.shape) + 1)
    index = (*(slice(None),) * axis, at.argnum)
    return Item(at.gy, index, index_text(index))


def _joined(at: Site) -> Formula:
    axis = at.function.axis
    return Call("concatenate", lambda *gys: np.concatenate(gys, axis), at.arriving, axis_text(axis))


def _inside(at: Site) -> Formula:
    widths = np.broadcast_to(np.asarray(at.function.width), (len(at.shape), 2))
    pairs = zip(widths.tolist(), at.shape, strict=True)
    index = tuple(slice(before, before + length) for (before, _), length in pairs)
    return Item(at.gy, index, index_text(index))


def _on_diagonal(at: Site) -> Formula:
    return _back(at, "on_diagonal")


def _along_diagonal(at: Site) -> Formula:
    shape, function = at.shape, at.function

    def spread(gy: Array) -> Array:
        size = int(np.prod(shape))
        origins = functions.Diagonal.forward(function, np.arange(size).reshape(shape))
        back = np.zeros(size)
        back[origins] = np.expand_dims(gy, -1)
        return back.reshape(shape)

    return Call("on_diagonal", spread, (at.gy,), str(shape))


def _reshaped(at: Site) -> Formula:
    shape = at.shape
    return Call("reshape", lambda value: np.reshape(value, shape), (at.gy,), str(shape))


_reshape = contribution("reorder", _reshaped)

PLACES: Rules = {
    functions.Reshape: _reshape,
    functions.Ravel: _reshape,
    functions.Squeeze: _reshape,
    functions.ExpandDims: _reshape,
    functions.Transpose: contribution("reorder", _turned),
    functions.Swapaxes: contribution("reorder", _swapped),
    functions.Moveaxis: contribution("reorder", _moved),
    functions.Flip: contribution("reorder", _flipped),
    functions.Roll: contribution("reorder", _rolled),
    functions.AsType: contribution("astype", _retyped),
    functions.BroadcastTo: contribution(
        "broadcast", lambda at: summed(at.gy, at.y_shape, at.shape)
    ),
    functions.GetItem: contribution("pick", _put),
    functions.GetItemGrad: contribution("put", _picked),
    functions.TakeAlongAxis: contribution("pick", lambda at: _back(at, "put_back")),
    functions.Diagonal: contribution("pick", _on_diagonal),
    functions.Trace: contribution("trace", _along_diagonal),
    functions.Concatenate: contribution("join", _part),
    functions.Stack: contribution("join", _layer),
    functions.Split: contribution("split", _joined),
    functions.Repeat: contribution("repeat", _copies),
    functions.Tile: contribution("repeat", _copies),
    functions.Pad: contribution("pad", _inside),
}
