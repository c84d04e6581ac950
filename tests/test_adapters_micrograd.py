"""``%%grad`` on micrograd: the graph, the numbers and the gradients are its own."""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING, Any

import pytest
from micrograd.engine import Value

from ipygrad import backward_pass

if TYPE_CHECKING:
    from tests.shell import Shell

IMPORTS = "from micrograd.engine import Value\n"
README = """\
%%grad -q -o bp
a = Value(-4.0)
b = Value(2.0)
c = a + b
d = a * b + b**3
c = c + c + 1
c = c + 1 + c + (-a)
d = d + d * 2 + (b + a).relu()
d = d + 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2.0
g = g + 10.0 / f
g
"""


def names(bp: Any) -> list[str]:
    return [node.name for node in bp.graph.variables]


def labels(bp: Any) -> list[str]:
    return [step.label for step in bp]


def gradient(bp: Any, name: str) -> float:
    """Return the gradient at the end of the pass of the variable with this name."""
    last = None
    for step in bp:
        for number, after in zip(
            bp.graph.functions[step._bare.function].inputs, step.after, strict=True
        ):
            if bp.graph.variables[number].name == name:
                last = after
    assert last is not None
    return float(last)


def test_the_graph_has_the_names_and_lines_of_the_cell(shell: Shell) -> None:
    shell.run(IMPORTS)
    assert shell.run(
        "%%grad -q -o bp\nx = Value(0.5)\na = x * x\nb = a + x\ny = b.relu()\n"
    ).is_fine
    bp = shell["bp"]
    assert names(bp) == ["x", "a", "b", "y"]
    assert labels(bp) == ["ReLU", "add", "mul"]
    assert [step.line for step in bp] == [5, 4, 3]
    assert [node.source for node in bp.graph.functions] == ["x * x", "a + x", "b.relu()"]


def test_gradients_are_those_of_its_own_backward(shell: Shell) -> None:
    shell.run(IMPORTS)
    assert shell.run(README).is_fine
    a, b = shell["a"], shell["b"]
    left = (a.grad, b.grad)
    bp = shell["bp"]
    # What a pass of micrograd's own leaves, by its README: 138.8338 and 645.5773.
    assert left == pytest.approx((138.8338192419825, 645.5772594752186), rel=1e-12)
    assert (gradient(bp, "a"), gradient(bp, "b")) == pytest.approx(left, rel=1e-12)


def test_numbers_in_a_formula_are_named_by_their_value(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = Value(3.0)\ny = 2 * x - 1\n")
    assert names(shell["bp"]) == ["x", "2", "2 * x", "-1", "y"]


def test_what_an_expression_makes_on_the_way_does_not_take_the_name_of_its_target(
    shell: Shell,
) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = Value(3.0)\nw = Value(2.0)\nd = x - w\ny = d * d\n")
    assert names(shell["bp"]) == ["w", "-1", "mul(w, -1)", "x", "d", "y"]
    assert [step.line for step in shell["bp"]] == [5, 4, 4]


def test_a_value_used_twice_is_one_box_with_two_edges_and_gets_both_contributions() -> None:
    x = Value(3.0)
    bp = backward_pass(x * x)
    (step,) = bp
    assert [float(c) for c in step.contributions if c is not None] == [3.0, 3.0]
    assert step.after[1] == 6.0
    assert x.grad == 0


def test_every_function_has_a_curve_and_a_check() -> None:
    x = Value(1.5)
    a = x**3
    b = a.relu()
    y = b * x + 2
    for step in backward_pass(y):
        assert step.check.status == "agrees"
        for local in step.local_derivatives:
            assert local is not None
            assert local.samples is not None
            assert local.samples.u.size > 20
            assert local.slope == pytest.approx(
                float(local.samples.slope[abs(local.samples.u - local.x).argmin()])
            )


def test_recorded_values_and_gradients_stay_as_they_are() -> None:
    x = Value(1.5)
    y = (x * 2).relu() ** 2
    bp = backward_pass(y)
    _ = [(step.local_derivatives, step.check) for step in bp]
    assert (x.data, x.grad, y.data, y.grad) == (1.5, 0, 9.0, 0)


def test_nothing_is_written_when_the_cell_went_back_by_itself(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = Value(3.0)\ny = x * x\ny.backward()\n")
    assert shell["x"].grad == 6
    assert "The cell ran a backward pass itself" in str(shell["bp"])


def test_what_a_cell_does_with_what_it_imports_itself_is_seen(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "micrograd"]:
        monkeypatch.delitem(sys.modules, name)
    import_ = builtins.__import__
    cell = "%%grad -q -o bp\nfrom micrograd.engine import Value\nx = Value(3.0)\ny = x * x\n"
    shell.run(cell + "y.backward()")
    assert shell["x"].grad == 6
    assert [step.line for step in shell["bp"]] == [4]
    assert builtins.__import__ is import_
    ran = shell.run("%%grad\nimport micrograd_of_nobody")
    assert isinstance(ran.error, ModuleNotFoundError)
    assert "import_and_tell" not in ran.text


def test_nothing_is_written_when_the_cell_went_back_from_further_on(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad y -q -o bp\nx = Value(3.0)\ny = x * x\nz = y * 2\nz.backward()\n")
    assert shell["x"].grad == 12


def test_gradients_left_over_are_told(shell: Shell) -> None:
    shell.run(IMPORTS + "x = Value(3.0)\n")
    shell.run("%%grad -q\ny = x * x\n")
    shell.run("%%grad -q -o bp\ny = x * x\n")
    assert shell["x"].grad == 12
    assert "x.grad 6 → 12" in str(shell["bp"])


def test_a_class_typed_after_it_works_with_its_own_operations(shell: Shell) -> None:
    shell.run(
        "import math\n"
        "class Value:\n"
        "    def __init__(self, data, _children=(), _op='', label=''):\n"
        "        self.data, self.grad, self.label = data, 0.0, label\n"
        "        self._prev, self._op, self._backward = set(_children), _op, lambda: None\n"
        "    def __mul__(self, other):\n"
        "        out = Value(self.data * other.data, (self, other), '*')\n"
        "        def _backward():\n"
        "            self.grad += other.data * out.grad\n"
        "            other.grad += self.data * out.grad\n"
        "        out._backward = _backward\n"
        "        return out\n"
        "    def tanh(self):\n"
        "        t = math.tanh(self.data)\n"
        "        out = Value(t, (self,), 'tanh')\n"
        "        def _backward():\n"
        "            self.grad += (1 - t * t) * out.grad\n"
        "        out._backward = _backward\n"
        "        return out\n"
    )
    assert shell.run(
        "%%grad -q -o bp\nx = Value(0.5, label='input')\nw = Value(2.0)\nn = x * w\ny = n.tanh()\n"
    ).is_fine
    bp = shell["bp"]
    assert names(bp) == ["input", "w", "n", "y"]
    assert labels(bp) == ["tanh", "mul"]
    # tanh'(1) = 1 - tanh(1)², times w.
    assert shell["x"].grad == pytest.approx(2 * 0.41997434161402614)
    assert [step.check.status for step in bp] == ["agrees", "agrees"]


def test_an_operation_that_cannot_be_repeated_has_no_curve_but_its_gradients() -> None:
    class Doubled(Value):  # type: ignore[misc]
        pass

    x = Doubled(3.0)
    y = Doubled(6.0, (x,), "double")

    def backward() -> None:
        x.grad += 2 * y.grad

    y._backward = backward
    (step,) = backward_pass(y)
    assert step.contributions[0] == 2.0
    assert step.check.status == "not checked"
    assert step.check.reason == "forward fails"


def test_a_chain_far_deeper_than_recursion_goes(shell: Shell) -> None:
    shell.run(IMPORTS)
    cell = "%%grad -q -o bp\ny = x = Value(1.0)\nfor _ in range(1500):\n    y = y + 1\ny\n"
    assert shell.run(cell).is_fine
    assert shell["x"].grad == 1
    assert len(shell["bp"]) == 1500


def test_a_leaf_is_told_apart() -> None:
    with pytest.raises(ValueError, match="is a leaf"):
        backward_pass(Value(1.0))


def test_cotangents_start_the_pass(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q --cotangent 10.0\nx = Value(3.0)\ny = x * x\n")
    assert shell["x"].grad == 60


def test_the_line_magic_steps_through_an_earlier_cell_and_writes_nothing(shell: Shell) -> None:
    shell.run(IMPORTS + "x = Value(3.0)\ny = x * x\n")
    assert shell.run("%grad y -q -o bp").is_fine
    assert gradient(shell["bp"], "x") == 6
    assert shell["x"].grad == 0


def test_a_cell_that_raises_shows_what_it_had_made(shell: Shell) -> None:
    shell.run(IMPORTS)
    ran = shell.run("%%grad\nx = Value(3.0)\ny = x * x\n1 / 0\n")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "y         9" in ran.text
