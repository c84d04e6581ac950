"""Call a function of PyTorch again that nobody heard being called.

A node keeps its name, the way back to its inputs, and what its backward needs. The name leads to
torch's own table of operations, which says what each argument is called, and under that name the
node may have saved it. What has no gradient and is not needed to go back (the 1 in ``x + 1``) is
gone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch

from ipygrad.capture.adapters.protocol import CannotRerunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TENSOR, _MAYBE, _TENSORS = "Tensor", "Optional[Tensor]", "List[Tensor]"
_SHAPES = ("size", "shape")


def call_again(
    node: Any,
    label: str,
    tensors: Sequence[torch.Tensor],
    is_right: Callable[[Any], bool],
    recorded: Sequence[torch.Tensor],
) -> Any:
    """Call the function that a node is named after.

    Parameters
    ----------
    node, label
        The node, and the name of its operation.
    tensors
        What to call it with, where its inputs with a gradient were.
    is_right
        Tells whether what it makes of `recorded` is what was recorded.
    recorded
        Those inputs.

    Raises
    ------
    CannotRerunError
        When there is no such function, arguments of it are gone, or it makes something else.
    """
    gone = ""
    for function, fill in _ways(node, label):
        try:
            with torch.no_grad():
                is_this = is_right(_call(function, fill(recorded)))
        except _GoneError as error:
            gone = gone or str(error)
            continue
        except Exception:  # noqa: BLE001, S112 - it was not called this way, then
            continue
        if is_this:
            return _call(function, fill(tensors))
    raise CannotRerunError(
        f"torch has not kept its argument {gone}, which has no gradient"
        if gone
        else f"torch has not kept how to repeat {label}"
    )


def saved_by(node: Any) -> dict[str, Any]:
    """Return what a node has saved for its backward, by name; nothing once that was freed."""
    found = {}
    for name in dir(node):
        if name.startswith("_saved_"):
            with suppress(RuntimeError):
                found[name.removeprefix("_saved_")] = getattr(node, name)
    return found


class _GoneError(LookupError):
    """An argument was not saved; the message is its name."""


def _call(function: Callable[..., Any], arguments: tuple[list[Any], dict[str, Any]]) -> Any:
    positional, named = arguments
    return function(*positional, **named)


def _ways(
    node: Any, label: str
) -> Iterator[
    tuple[Callable[..., Any], Callable[[Sequence[torch.Tensor]], tuple[list[Any], dict[str, Any]]]]
]:
    """Yield functions that a node may stem from, and how to fill in their arguments."""
    kind = getattr(node, "_forward_cls", None)
    if kind is not None:
        yield kind.apply, lambda tensors: ([*tensors], {})
        return
    saved = saved_by(node)
    for name in (label, f"_{label}"):
        packet = getattr(torch.ops.aten, name, None)
        for overload in () if packet is None else packet.overloads():
            function = getattr(packet, overload)
            fill = _Arguments(node, function._schema.arguments, saved)
            is_random = torch.Tag.nondeterministic_seeded in function.tags
            if fill.is_fit and not is_random:
                yield function, fill


class _Arguments:
    """Fills in the arguments of one operation from what a node has saved.

    Parameters
    ----------
    node
        The node.
    schema
        Name, type and default of each argument.
    saved
        By name.
    """

    def __init__(self, node: Any, schema: Sequence[Any], saved: dict[str, Any]) -> None:
        self._schema = schema
        self._saved = saved
        self._edges = [before is not None for before, _ in node.next_functions]
        self._shape = tuple(node._input_metadata[0].shape)
        names = {argument.name for argument in schema}
        options = {
            name
            for name, value in saved.items()
            if isinstance(value, (bool, int, float, str, tuple)) and "_sym_" not in f"{name}_"
        }
        types = [str(argument.type) for argument in schema]
        fixed = sum(self._takes_edge(argument) and not _is_maybe(argument) for argument in schema)
        self.is_fit = (
            options <= names
            and not any(argument.is_out for argument in schema)
            and (_TENSORS in types or fixed <= len(self._edges))
            and (_TENSORS in types or len(self._edges) <= sum(map(self._takes_edge, schema)))
        )

    def __call__(self, tensors: Sequence[torch.Tensor]) -> tuple[list[Any], dict[str, Any]]:
        """Return arguments by position and by name, with `tensors` where there are edges."""
        rest, edges = iter(tensors), iter(self._edges)
        # Differences are taken in float64, whatever was recorded.
        dtype = next((x.dtype for x in tensors if x.is_floating_point()), None)
        positional, named = [], {}
        for argument in self._schema:
            if str(argument.type) == _TENSORS:
                if not all(self._edges):
                    raise _GoneError(argument.name)
                value: Any = [next(rest) for _ in edges]
            elif self._takes_edge(argument) and (has_gradient := next(edges, None)) is not None:
                value = next(rest) if has_gradient else self._kept(argument)
            else:
                value = self._kept(argument)
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                value = value.to(dtype)
            if argument.kwarg_only:
                named[argument.name] = value
            else:
                positional.append(value)
        return positional, named

    def _takes_edge(self, argument: Any) -> bool:
        """Tell whether an argument is a tensor that could have a gradient; indices have none."""
        saved = self._saved.get(argument.name)
        # A number of the user's is kept as a tensor of shape (), whole as it may be.
        is_index = isinstance(saved, torch.Tensor) and (
            saved.dtype == torch.bool or not (saved.is_floating_point() or saved.dim() == 0)
        )
        return str(argument.type) in (_TENSOR, _MAYBE) and not is_index

    def _kept(self, argument: Any) -> Any:
        saved = self._saved.get(argument.name)
        if saved is not None:
            return _signed(saved)
        if argument.name in _SHAPES:
            return self._shape
        if argument.has_default_value():
            return argument.default_value
        if _is_maybe(argument) or argument.name in self._saved:
            if str(argument.type) == _TENSOR:
                raise _GoneError(argument.name)
            return None
        raise _GoneError(argument.name)


def _is_maybe(argument: Any) -> bool:
    return str(argument.type).startswith("Optional")


def _signed(value: Any) -> Any:
    """Return an axis as it was given: -1 is read back as a number of 64 bits without a sign."""
    if isinstance(value, tuple):
        return tuple(map(_signed, value))
    return value - 2**64 if type(value) is int and value >= 2**63 else value
