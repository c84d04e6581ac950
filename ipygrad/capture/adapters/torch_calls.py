"""What PyTorch was asked to do while a cell ran.

Its graph keeps what backward needs and no more: neither where a node was made, nor every value on
the way, nor how to compute it once more. All that passes by here when a function of torch is
called, and is left in the ``metadata`` of the graph's node, which lives as long as the node does.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ipygrad.capture.observe import Observer
    from ipygrad.engine.mode import Cut

_TOKEN, _CALL = "ipygrad token", "ipygrad call"

_BACKWARD = torch.Tensor.backward

Edge = tuple[Any, int]
"""The way back from a tensor: a node and the number of its output, or a leaf and 0."""


class Call(NamedTuple):
    """A call that made one node.

    Attributes
    ----------
    function, arguments, options
        What was called, with marks in the places of tensors.
    constants
        For each tensor, in order, the tensor if it has no gradient, else None.
    """

    function: Callable[..., Any]
    arguments: Sequence[Any]
    options: Mapping[str, Any]
    constants: Sequence[torch.Tensor | None]

    def again(self, tensors: Sequence[torch.Tensor]) -> Any:
        """Call it on other tensors."""
        rest = iter(tensors)
        arguments = [_replaced(argument, rest) for argument in self.arguments]
        options = {name: _replaced(option, rest) for name, option in self.options.items()}
        return self.function(*arguments, **options)


class Token:
    """Stands for one output of a node.

    Parameters
    ----------
    tensor
        That output, where there is one.

    Attributes
    ----------
    value
        What it held, without its history; None where nobody saw it.
    """

    __slots__ = ("__weakref__", "_version", "value")

    def __init__(self, tensor: torch.Tensor | None = None) -> None:
        self.value = None if tensor is None else tensor.detach()
        self._version = 0 if tensor is None else tensor._version

    def see(self, tensor: torch.Tensor) -> None:
        """Take note of the value."""
        self.value = tensor.detach()
        self._version = tensor._version

    @property
    def is_known(self) -> bool:
        """Whether somebody saw the value, and nothing has changed it in place since."""
        return self.value is not None and self.value._version == self._version


def token_of(node: Any, number: int) -> Token:
    """Return what stands for an output of a node, the same each time."""
    token: Token = node.metadata.setdefault((_TOKEN, number), Token())
    return token


def call_of(node: Any) -> Call | None:
    """Return the call that made a node, None where it was not heard or made others, too."""
    call = node.metadata.get(_CALL)
    return None if call is None else Call(*call)


class Cuts:
    """The tensors of a cell that have no history, though they were computed of some that have."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[torch.Tensor], Cut]] = {}

    def how(self, tensor: object) -> Cut | None:
        """Return how the history of a tensor was cut; None where it was not, or it is not known."""
        known = self._known.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None

    def look_at(
        self,
        made: torch.Tensor,
        func: Callable[..., Any],
        edges: Sequence[Edge],
        constants: Sequence[torch.Tensor | None],
    ) -> None:
        """Note a tensor that a function has made without a history, where it should have one."""
        if made.requires_grad or not made.is_floating_point():
            return
        name = getattr(func, "__name__", "")
        how: Cut | None = None
        if name == "detach" and edges:
            how = "detach"
        elif name == "__get__" or name.endswith("_like") or name.startswith("new_"):
            # These read or make tensors that never have a history.
            return
        elif edges and not torch.is_grad_enabled():
            how = "no_grad"
        elif not edges:
            how = next(filter(None, map(self.how, constants)), None)
        if how is not None:
            self._known[id(made)] = ref(made), how


class TorchCalls(TorchFunctionMode):  # type: ignore[misc]
    """Hears of torch's functions while it is entered.

    ``backward`` is made to keep the graph, so that one can go back through it once more.

    Parameters
    ----------
    observer
        Who is told where tensors were made, and from which a backward pass was run.
    cuts
        Where to note tensors whose history was cut.
    """

    def __init__(self, observer: Observer, cuts: Cuts) -> None:
        super().__init__()
        self._observer = observer
        self._cuts = cuts

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and take note of what it made."""
        if func is _BACKWARD:
            return self._go_back(*args, **(kwargs or {}))
        # Before the call: an in-place function gives its first tensor another history.
        edges: list[Edge] = []
        constants: list[torch.Tensor | None] = []
        arguments = _taken_apart(args, edges, constants)
        if kwargs:
            values = _taken_apart(kwargs.values(), edges, constants)
            options = dict(zip(kwargs, values, strict=True))
            made = func(*args, **kwargs)
        else:
            options = {}
            made = func(*args)
        new, depth = [], 1
        for y in (made,) if isinstance(made, torch.Tensor) else _tensors_in((made,)):
            node = y.grad_fn
            if node is None:
                self._cuts.look_at(y, func, edges, constants)
                continue
            metadata, place = node.metadata, (_TOKEN, y.output_nr)
            if place in metadata:
                continue  # It was made before, and only handed on.
            if _leads_to(node, edges):
                metadata.setdefault(_CALL, (func, arguments, options, constants))
            else:
                # All of it is made by one call, of which this frame is a part.
                depth = 0
                for token in _on_the_way(node, edges):
                    self._observer.noted((token,), sys._getframe())
            metadata[place] = token = Token(y)
            new.append(token)
        if new:
            self._observer.noted(tuple(new), sys._getframe(depth))
        return made

    def _go_back(self, result: Any, *args: Any, **options: Any) -> None:
        if result.grad_fn is not None:
            self._observer.ran_backward(token_of(result.grad_fn, result.output_nr))
        # Given by position, it is the second.
        if len(args) < 2:
            options["retain_graph"] = True
        result.backward(*args, **options)


def _taken_apart(
    values: Iterable[Any], edges: list[Edge], constants: list[torch.Tensor | None]
) -> list[Any]:
    """Return values with marks in the places of tensors, also of those in lists and tuples.

    Parameters
    ----------
    edges
        The ways back from the tensors that have a gradient are added here.
    constants
        For each tensor None is added if it has a gradient, else itself.
    """
    emptied = []
    for value in values:
        if isinstance(value, torch.Tensor):
            emptied.append(_EMPTY)
            node = value.grad_fn
            if node is not None:
                edges.append((node, value.output_nr))
                constants.append(None)
            elif value.requires_grad:
                edges.append((value, 0))
                constants.append(None)
            else:
                constants.append(value)
        elif type(value) in (list, tuple):
            emptied.append(type(value)(_taken_apart(value, edges, constants)))
        else:
            emptied.append(value)
    return emptied


def _leads_to(node: Any, edges: Sequence[Edge]) -> bool:
    """Tell whether these are the edges of a node, in order: then a call made it and no other."""
    place, count = 0, len(edges)
    for before, number in node.next_functions:
        if before is None:
            continue
        if place == count:
            return False
        other, its_number = edges[place]
        # A leaf stands behind a node that accumulates its gradient.
        if number != its_number or (
            before is not other and getattr(before, "variable", None) is not other
        ):
            return False
        place += 1
    return place == count


def _on_the_way(node: Any, edges: Sequence[Edge]) -> Iterator[Token]:
    """Yield what stands for the other nodes that a call made."""
    known = {id(before) for before, _ in edges}
    waiting = [node]
    while waiting:
        for before, number in waiting.pop().next_functions:
            is_new = before is not None and not hasattr(before, "variable")
            if is_new and id(before) not in known and (_TOKEN, number) not in before.metadata:
                yield token_of(before, number)
                waiting.append(before)


_EMPTY = object()


def _tensors_in(values: Sequence[Any]) -> list[torch.Tensor]:
    """Return the tensors among values and in the lists and tuples among them."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors_in(value)
    return found


def _replaced(value: Any, rest: Iterator[torch.Tensor]) -> Any:
    if value is _EMPTY:
        return next(rest)
    if type(value) in (list, tuple):
        return type(value)(_replaced(element, rest) for element in value)
    return value
