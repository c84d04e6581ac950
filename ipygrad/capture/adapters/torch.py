"""PyTorch's graphs: nodes that go back, and leaves behind nodes that accumulate.

A node (``MulBackward0``) is a function; each of its outputs is a variable, whether or not a tensor
of it is still there. What a node contributes is found by calling it. Values come from tensors that
the user holds, from what nodes have saved for backward, and from what was heard while the cell ran;
so do the constants beside the tensors that have a gradient, and the call that can be repeated.

Not shown is what is no node: hooks on tensors, which change gradients on their way. They are not
run by the recorded pass, and stay as they are for torch's own.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ipygrad.capture.adapters.protocol import Adapter, CannotRerunError, Rerun
from ipygrad.capture.adapters.torch_again import call_again, saved_by
from ipygrad.capture.adapters.torch_calls import Cuts, TorchCalls, call_of, token_of
from ipygrad.engine.core import as_tuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from ipygrad.capture.adapters.protocol import Contributions
    from ipygrad.capture.calls import Call
    from ipygrad.capture.observe import Observer
    from ipygrad.engine.core import Array
    from ipygrad.engine.mode import Cut


class Slot:
    """An output of a node.

    Attributes
    ----------
    node, number
        Which.
    """

    def __init__(self, node: Any, number: int) -> None:
        self.node = node
        self.number = number


class TorchAdapter(Adapter):
    """Reads graphs of ``torch.Tensor``; variables are leaves (tensors) and outputs of nodes."""

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        super().__init__(calls)
        # Nodes that are explored: they are kept here, so that no other gets their number.
        self._nodes: dict[int, Any] = {}
        self._used: set[tuple[int, int]] = set()
        self._names: dict[int, str] = {}
        self._given_up: set[int] = set()
        self._cuts = Cuts()

    def handles(self, value: object) -> bool:
        """Tell whether `value` is a tensor."""
        return isinstance(value, torch.Tensor)

    def identity(self, variable: Any) -> object:
        """Return a leaf itself, and the token that its node keeps for another tensor."""
        node, number = _place(variable)
        return variable if node is None else token_of(node, number)

    def creator(self, variable: Any) -> object | None:
        """Return the node whose output `variable` is."""
        node, number = _place(variable)
        if node is not None:
            self._explore(node)
            self._used.add((id(node), number))
        made_by: object | None = node
        return made_by

    def inputs(self, function: Any) -> Sequence[Any]:
        """Return leaves and outputs of nodes, and the tensors beside them that have no gradient."""
        behind = [
            node.variable if hasattr(node, "variable") else Slot(node, number)
            for node, number in function.next_functions
            if node is not None
        ]
        call = call_of(function)
        if call is None:
            return behind
        rest = iter(behind)
        return [next(rest) if constant is None else constant for constant in call.constants]

    def outputs(self, function: Any) -> Sequence[Any | None]:
        """Return the outputs that a result depends on, or that the user holds."""
        return [
            Slot(function, number) if (id(function), number) in self._used else None
            for number, _ in enumerate(function._input_metadata)
        ]

    def like_output(self, function: Any, number: int) -> Array:
        """Return zeros of the shape that the node remembers."""
        return _filled(function, number, 0.0)

    def data(self, variable: Any) -> Array:
        """Return the value, nan where neither torch nor anybody else has kept it."""
        node, number = _place(variable)
        if node is None:
            return _array(variable)
        token = token_of(node, number)
        if isinstance(variable, torch.Tensor):
            token.see(variable)
        if token.value is None and number == 0 and id(token) not in self._given_up:
            # Inputs are asked for before outputs; asked once more, they shall not begin anew.
            self._given_up.add(id(token))
            with suppress(CannotRerunError), torch.no_grad():
                inputs = [_like(self.data(x), x) for x in self.inputs(node)]
                if not any(tensor.isnan().any() for tensor in inputs):
                    token.see(as_tuple(self._by_name(node, inputs))[0])
        if token.is_known and token.value is not None:
            return _array(token.value)
        return _filled(node, number, np.nan)

    def is_known(self, variable: Any) -> bool:
        """Tell whether the value of a variable was kept."""
        node, number = _place(variable)
        return node is None or token_of(node, number).is_known

    def name(self, variable: Any) -> str | None:
        """Return the name of a parameter in its module: ``model.0.weight``."""
        return self._names.get(id(variable))

    def label(self, function: Any) -> str:
        """Return the name of the operation, or of the user's ``autograd.Function``."""
        kind = getattr(function, "_forward_cls", None)
        if kind is not None:
            return str(kind.__name__)
        return _snake(re.sub(r"Backward\d*$", "", function.name()))

    def is_constant(self, variable: Any) -> bool:
        """Tell whether a tensor has no gradient."""
        return isinstance(variable, torch.Tensor) and not variable.requires_grad

    def cut(self, variable: Any) -> Cut | None:
        """Tell of ``no_grad`` and ``detach``, under ``%%grad``."""
        return self._cuts.how(variable)

    def meet(self, namespace: Mapping[str, object]) -> None:
        """Take note of what tensors hold that the user still has, and of parameters' names."""
        for name, value in namespace.items():
            if isinstance(value, torch.nn.Module) and not name.startswith("_"):
                for path, parameter in value.named_parameters():
                    self._names.setdefault(id(parameter), f"{name}.{path}")
            elif isinstance(value, torch.Tensor) and value.grad_fn is not None:
                token_of(value.grad_fn, value.output_nr).see(value)
                self.creator(value)

    def backward(self, function: Any, cotangents: tuple[Array, ...]) -> Contributions:
        """Call the node; what it adds along broadcast axes is summed, as torch does on the way."""
        arriving = [
            torch.as_tensor(np.array(cotangent), dtype=output.dtype)
            for cotangent, output in zip(cotangents, function._input_metadata, strict=True)
        ]
        # A user's own node has a method instead.
        run = getattr(function, "apply", function)
        with torch.no_grad():
            returned = run(*arriving)
        returned = returned if isinstance(returned, tuple) else (returned,)
        edges = zip(function.next_functions, returned, strict=False)
        gradients = iter([gradient for (node, _), gradient in edges if node is not None])
        return tuple(
            None if self.is_constant(x) else _fitted(next(gradients), self.data(x))
            for x in self.inputs(function)
        )

    def rerun(self, function: Any, inputs: Sequence[Array]) -> Rerun:
        """Repeat the call that made the node, or call the function that it is named after."""
        tensors = [_like(array, x) for array, x in zip(inputs, self.inputs(function), strict=True)]
        call = call_of(function)
        with torch.enable_grad():
            if call is None:
                made = self._by_name(function, tensors)
            else:
                # In-place functions take no leaves.
                made = call.again([tensor.clone() for tensor in tensors])
        outputs = as_tuple(made)[: len(function._input_metadata)]
        tracked = [tensor for tensor in tensors if tensor.requires_grad]

        def backward(cotangents: tuple[Array, ...]) -> Contributions:
            arriving = [
                torch.as_tensor(np.array(cotangent), dtype=y.dtype)
                for cotangent, y in zip(cotangents, outputs, strict=True)
            ]
            gradients = iter(
                torch.autograd.grad(
                    outputs, tracked, arriving, retain_graph=True, allow_unused=True
                )
            )
            return tuple(
                _fitted(next(gradients), array) if tensor.requires_grad else None
                for tensor, array in zip(tensors, inputs, strict=True)
            )

        return Rerun(tuple(_array(y) for y in outputs), backward)

    def gradient(self, variable: Any) -> Array | None:
        """Return the gradient of a leaf; torch keeps no others."""
        node, _ = _place(variable)
        # A copy, because torch adds to a gradient in place.
        return None if node is not None or variable.grad is None else _array(variable.grad).copy()

    def assign(self, variable: Any, value: Array) -> None:
        """Give a leaf another value, in the same memory."""
        variable.data.copy_(torch.as_tensor(value))

    def run_backward(self, result: Any, cotangent: Array) -> None:
        """Run ``result.backward()``, hooks and all, and keep the graph for the stepper."""
        result.backward(torch.as_tensor(np.array(cotangent), dtype=result.dtype), retain_graph=True)

    def watching(self, observer: Observer) -> AbstractContextManager[object]:
        """Listen as torch lets one listen."""
        mode: AbstractContextManager[object] = TorchCalls(observer, self._cuts)
        return mode

    def _explore(self, node: Any) -> None:
        """Find what is behind a node: which outputs are used, and which values were saved."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if id(node) in self._nodes:
                continue
            self._nodes[id(node)] = node
            for tensor in saved_by(node).values():
                if isinstance(tensor, torch.Tensor) and tensor.grad_fn is not None:
                    token = token_of(tensor.grad_fn, tensor.output_nr)
                    if token.value is None:
                        token.see(tensor)
            for before, number in node.next_functions:
                if before is not None:
                    self._used.add((id(before), number))
                    waiting.append(before)

    def _by_name(self, node: Any, tensors: Sequence[torch.Tensor]) -> Any:
        """Call the function that a node is named after, as far as the node has kept how.

        Raises
        ------
        CannotRerunError
            When it has not.
        """
        inputs = self.inputs(node)
        if not all(map(self.is_known, inputs)):
            raise CannotRerunError("torch has not kept what it was given")
        recorded = [_like(self.data(x), x) for x in inputs]

        def is_right(made: Any) -> bool:
            return self._is_as_recorded(node, as_tuple(made)[0])

        return call_again(node, self.label(node), tensors, is_right, recorded)

    def _is_as_recorded(self, node: Any, made: torch.Tensor) -> bool:
        token = token_of(node, 0)
        if token.is_known and token.value is not None:
            return bool(torch.allclose(made, token.value, rtol=1e-5, atol=1e-6))
        return tuple(made.shape) == _shape(node, 0)


def _place(variable: Any) -> tuple[Any, int]:
    """Return the node that a variable is an output of, and which; (None, 0) for a leaf."""
    if isinstance(variable, Slot):
        return variable.node, variable.number
    return variable.grad_fn, variable.output_nr


def _shape(node: Any, number: int) -> tuple[int, ...]:
    return tuple(node._input_metadata[number].shape)


def _filled(node: Any, number: int, value: float) -> Array:
    """Return an array of the shape and precision of an output that nobody holds."""
    dtype = node._input_metadata[number].dtype
    return _array(torch.full(_shape(node, number), value, dtype=dtype))


def _array(tensor: torch.Tensor) -> Array:
    tensor = tensor.detach().cpu()
    # numpy has no such type.
    tensor = tensor.float() if tensor.dtype is torch.bfloat16 else tensor
    array: Array = tensor.numpy()
    return array


def _like(array: Array, variable: Any) -> torch.Tensor:
    """Return a leaf with other numbers; whole numbers stay so, they may be indices."""
    if isinstance(variable, torch.Tensor) and not variable.is_floating_point():
        return torch.as_tensor(np.array(array), dtype=variable.dtype)
    is_tracked = isinstance(variable, Slot) or variable.requires_grad
    return torch.as_tensor(np.array(array)).requires_grad_(is_tracked)


def _fitted(gradient: torch.Tensor | None, like: Array) -> Array:
    """Return a gradient of the shape of its variable; torch says None for zeros."""
    if gradient is None:
        return np.zeros_like(like)
    return _array(gradient.sum_to_size(like.shape))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
