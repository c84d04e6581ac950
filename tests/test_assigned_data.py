"""Data may be assigned before the forward pass and after backward(), not in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import BackwardError, Function, Variable, backward_pass, exp, matmul, split, square

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.shell import Shell


class Twice(Function):
    def forward(self, x: Any) -> Any:
        return 2 * x

    def backward(self, gy: Any) -> Any:
        return 2 * gy


class BookTwice(Twice):
    def __call__(self, x: Variable) -> Variable:
        y = Variable(self.forward(x.data))
        y.set_creator(self)
        self.input, self.output = x, y
        return y


def add_one(v: Variable) -> None:
    v.data += 1


def replace(v: Variable) -> None:
    v.data = v.data + 1


def reshape(v: Variable) -> None:
    v.data = np.ones(7)


@pytest.mark.parametrize("change", [add_one, replace, reshape])
@pytest.mark.parametrize("data", [0.5, [0.5, 1.5]])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("f", [square, exp, Twice(), BookTwice()])
def test_a_changed_input_is_refused(
    change: Callable[[Variable], None], data: Any, create_graph: bool, f: Callable[[Any], Variable]
) -> None:
    x = Variable(data, name="x")
    y = exp(f(x))
    change(x)
    with pytest.raises(BackwardError, match=r"the data of x was assigned after \w+ had used it"):
        y.backward(create_graph=create_graph)
    assert x.grad is None


@pytest.mark.parametrize("changed", ["a", "y"])
def test_a_changed_intermediate_or_result_is_refused(changed: str) -> None:
    a = square(Variable(0.5))
    y = exp(a)
    {"a": a, "y": y}[changed].data += 1
    with pytest.raises(BackwardError, match=r"the data of a variable was assigned after exp"):
        y.backward()


def test_one_of_several_outputs_is_refused() -> None:
    a, b = split(Variable([1.0, 2.0]), 2)
    y = a * b
    b.data += 1
    with pytest.raises(BackwardError, match="the data of a variable was assigned after multiply"):
        y.backward()


def test_one_of_several_inputs_is_named() -> None:
    x, w = Variable(np.ones((2, 3)), name="x"), Variable(np.ones((3, 2)), name="w")
    y = matmul(x, w)
    w.data *= 2
    with pytest.raises(BackwardError, match="the data of w was assigned after matmul") as raised:
        y.backward()
    assert raised.value.function is y.creator


def test_a_function_called_after_the_change_is_fine() -> None:
    x = Variable(3.0)
    x.data += 1
    a = square(x)
    other = Variable(1.0)
    other.data += 1
    y = a * other
    y.backward()
    assert (x.grad, other.grad) == (16.0, 16.0)


def test_only_what_lies_behind_the_result_counts() -> None:
    x, z = Variable(3.0), Variable(2.0)
    y, _ = square(x), square(z)
    z.data += 1
    y.backward()
    assert x.grad == 6.0


def test_training_assigns_after_each_backward() -> None:
    w, x = Variable(0.0), Variable(2.0)
    for _ in range(50):
        w.cleargrad()
        square(w * x - 3.0).backward()
        w.data -= 0.05 * w.grad
    assert abs(w.item() - 1.5) < 1e-9


def test_a_second_pass_over_an_old_graph_is_refused_after_an_update() -> None:
    w = Variable(2.0, name="w")
    loss = square(w)
    loss.backward()
    w.data -= 0.1 * w.grad
    with pytest.raises(BackwardError, match="the data of w was assigned after square"):
        loss.backward()
    assert w.grad == 4.0


def test_the_recorded_pass_notes_it_and_goes_on() -> None:
    x = Variable(0.5, name="x")
    y = exp(square(x))
    x.data += 1
    steps = backward_pass(y)
    assert len(steps) == 2
    assert any("x changed in place after square" in note for note in steps[1].notes)


def test_a_cell_with_the_change_shows_its_steps(shell: Shell) -> None:
    ran = shell.run("%%grad -o bp\nx = Variable(0.5)\ny = square(x)\nx.data += 1")
    assert ran.is_fine
    assert "changed in place after square" in shell["bp"][0].notes[0]


def test_a_cell_that_goes_back_itself_is_refused(shell: Shell) -> None:
    ran = shell.run("x = Variable(0.5, name='x')\ny = square(x)\nx.data += 1\ny.backward()")
    assert isinstance(ran.error, BackwardError)
