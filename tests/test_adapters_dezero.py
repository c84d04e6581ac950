"""``%%grad`` on DeZero: the graph, the numbers and the gradients are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from IPython.core.completer import provisionalcompleter

# DeZero 0.0.13 reads a name when it is imported that numpy 2 no longer has.
np.int = int  # type: ignore[attr-defined]  # noqa: NPY001

import dezero.functions as F  # noqa: E402, N812
import dezero.layers as L  # noqa: E402, N812
from dezero import Function, Variable  # noqa: E402

from ipygrad import backward_pass  # noqa: E402
from tests.test_states import cut_of  # noqa: E402

if TYPE_CHECKING:
    from tests.shell import Shell

IMPORTS = "import dezero\nimport dezero.functions as F\nfrom dezero import Variable, Function\n"
SEED = """\
%%grad -q -o bp
x = Variable(np.array(0.5))
a = x ** 2
b = F.exp(a)
y = b ** 2
"""


def names(bp: Any) -> list[str]:
    return [node.name for node in bp.graph.variables]


def finals(bp: Any) -> dict[str, Any]:
    """Return the last gradient of each variable that the pass reaches, by name."""
    found = {}
    for step in bp:
        inputs = bp.graph.functions[step._bare.function].inputs
        for number, after in zip(inputs, step.after, strict=True):
            found[bp.graph.variables[number].name] = after
    return found


def assert_equals_their_backward(y: Any, leaves: dict[str, Any], bp: Any) -> None:
    y.backward()
    for name, leaf in leaves.items():
        np.testing.assert_allclose(finals(bp)[name], leaf.grad.data, rtol=1e-12)


def test_the_seed_example_has_its_names_lines_and_digits(shell: Shell) -> None:
    shell.run(IMPORTS)
    assert shell.run(SEED).is_fine
    bp = shell["bp"]
    assert names(bp) == ["x", "a", "b", "y"]
    assert [(step.label, step.line) for step in bp] == [("pow", 5), ("exp", 4), ("pow", 3)]
    assert [node.source for node in bp.graph.functions] == ["x ** 2", "F.exp(a)", "b ** 2"]
    assert float(finals(bp)["b"]) == 2.568050833375483
    assert float(finals(bp)["x"]) == 3.297442541400256


def test_gradients_stand_as_after_one_backward_of_its_own(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(SEED)
    assert float(shell["x"].grad.data) == 3.297442541400256
    # DeZero keeps the gradients of leaves only.
    assert shell["a"].grad is shell["b"].grad is shell["y"].grad is None


def test_gradients_are_variables_of_its_own(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(SEED)
    assert type(shell["x"].grad) is Variable


def test_nothing_is_written_when_the_cell_went_back_by_itself(shell: Shell) -> None:
    shell.run(IMPORTS)
    assert shell.run(SEED + "y.backward(retain_grad=True)\nx.grad\n").is_fine
    assert float(shell["x"].grad.data) == 3.297442541400256
    assert float(shell["b"].grad.data) == 2.568050833375483
    assert [step.label for step in shell["bp"]] == ["pow", "exp", "pow"]


def test_a_variable_used_twice_is_one_box_with_two_edges(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = Variable(np.array(3.0))\ny = F.add(x, x)\n")
    (step,) = shell["bp"]
    assert names(shell["bp"]) == ["x", "y"]
    assert [float(c) for c in step.contributions] == [1.0, 1.0]
    assert float(shell["x"].grad.data) == 2.0


def test_generations_order_the_turns() -> None:
    x = Variable(np.array(2.0))
    a = F.exp(x)
    y = a**2 + a * x
    bp = backward_pass(y)
    assert [step.label for step in bp] == ["add", "pow", "mul", "exp"]
    assert_equals_their_backward(y, {"x": x}, bp)


def test_numbers_in_a_formula_are_named_by_their_value(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = Variable(np.array(3.0))\ny = 2 * x\n")
    assert names(shell["bp"]) == ["x", "2", "y"]


def test_what_an_expression_makes_on_the_way_does_not_take_the_name_of_its_target(
    shell: Shell,
) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = Variable(np.array(0.5))\ns = F.sigmoid_simple(x)\ny = s * s\n")
    made = ["neg(x)", "exp(neg(x))", "1", "add(exp(neg(x)), 1)", "1", "s", "y"]
    assert names(shell["bp"]) == ["x", *made]
    assert [step.line for step in shell["bp"]] == [4, 3, 3, 3, 3]


def test_data_that_dezero_has_dropped_is_computed_again() -> None:
    x = Variable(np.ones((1, 3)))
    W, b = Variable(np.full((3, 2), 0.5)), Variable(np.zeros(2))  # noqa: N806
    y = F.sum(F.linear_simple(x, W, b))
    bp = backward_pass(y)
    assert [step.label for step in bp] == ["sum", "add", "matmul"]
    (product,) = [node for node in bp.graph.variables if node.name == "matmul(x, W)"]
    np.testing.assert_array_equal(product.value, [[1.5, 1.5]])
    assert_equals_their_backward(y, {"W": W, "b": b}, bp)


def test_a_function_object_called_twice_ends_where_its_own_backward_ends() -> None:
    exp = F.Exp()
    x = Variable(np.array(0.5))
    a = exp(x)
    y = exp(a)
    # DeZero's functions know their latest call only, so the way from a to x is lost.
    bp = backward_pass(y)
    assert [step.label for step in bp] == ["exp"]
    assert names(bp) == ["a", "y"]
    y.backward()
    assert x.grad is None
    assert float(a.grad.data) == pytest.approx(float(finals(bp)["a"]))


def test_a_two_layer_network_with_a_loss() -> None:
    rng = np.random.default_rng(0)
    x = Variable(rng.normal(size=(5, 3)))
    W1, b1 = Variable(rng.normal(size=(3, 4))), Variable(np.zeros(4))  # noqa: N806
    W2 = Variable(rng.normal(size=(4, 2)))  # noqa: N806
    t = np.array([0, 1, 1, 0, 1])
    y = F.softmax_cross_entropy(F.linear(F.sigmoid(F.linear(x, W1, b1)), W2), t)
    bp = backward_pass(y)
    assert [step.label for step in bp] == ["softmaxcrossentropy", "linear", "sigmoid", "linear"]
    assert_equals_their_backward(y, {"W1": W1, "b1": b1, "W2": W2, "x": x}, bp)
    labels = bp.graph.variables[bp.graph.functions[-1].inputs[1]]
    assert labels.kind == "constant"
    assert [step.check.status for step in bp] == ["agrees"] * 4


def test_layers_are_read_through_to_their_functions() -> None:
    layer = L.Linear(2)
    x = Variable(np.ones((1, 3)))
    h = layer(x)
    y = F.sum(h * h)
    bp = backward_pass(y)
    y.backward()
    np.testing.assert_allclose(finals(bp)["W"], layer.W.grad.data, rtol=1e-12)
    assert {"W", "b"} <= set(names(bp))


def test_every_function_of_numbers_has_a_curve_and_a_check() -> None:
    x = Variable(np.array(0.7))
    y = F.sin(x) * F.tanh(x) + F.log(x) / (x + 1.0) - F.relu(x) ** 3
    steps = list(backward_pass(y))
    assert len(steps) == 10
    for step in steps:
        assert step.check.status == "agrees"
        for local in step.local_derivatives:
            assert local is not None
            assert local.samples is not None
            assert np.isfinite(local.samples.slope).sum() > 20


def test_a_function_of_several_outputs() -> None:
    class SinCos(Function):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return np.sin(x), np.cos(x)

        def backward(self, gs: Any, gc: Any) -> Any:
            (x,) = self.inputs
            return gs * F.cos(x) - gc * F.sin(x)

    x = Variable(np.array(0.7))
    s, c = SinCos()(x)
    y = s * c
    bp = backward_pass(y)
    assert [step.label for step in bp] == ["mul", "SinCos"]
    assert names(bp) == ["x", "s", "c", "y"]
    assert [float(g) for g in bp[1].cotangents] == pytest.approx([np.cos(0.7), np.sin(0.7)])
    # d/dx sin x cos x = cos 2x.
    assert float(finals(bp)["x"]) == pytest.approx(np.cos(1.4), rel=1e-14)
    assert bp[1].check.status == "agrees"


def test_an_output_that_nobody_holds_gets_zeros_of_its_shape() -> None:
    class Halves(Function):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x[:2], x[2:]

        def backward(self, g0: Any, g1: Any) -> Any:
            return Variable(np.concatenate([g0.data, g1.data]))

    x = Variable(np.arange(5.0))
    h = Halves()(x)[0]
    bp = backward_pass(F.sum(h))
    assert bp.error is None
    assert bp[1].cotangents[1].shape == (3,)
    np.testing.assert_array_equal(finals(bp)["x"], [1, 1, 0, 0, 0])


def test_a_wrong_backward_of_the_users_is_found(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "class Cube(Function):\n"
        "    def forward(self, x):\n"
        "        return x ** 3\n"
        "    def backward(self, gy):\n"
        "        return 3 * self.inputs[0] * gy\n"
    )
    shell.run("%%grad -q -o bp\nx = Variable(np.array(2.0))\ny = Cube()(x)\n")
    (step,) = shell["bp"]
    assert (step.label, step.check.status, step.check.ratio) == (
        "Cube",
        "disagrees",
        pytest.approx(0.5),
    )


def test_a_backward_that_raises_is_named(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "class Unfinished(Function):\n"
        "    def forward(self, x):\n"
        "        return x\n"
        "    def backward(self, gy):\n"
        "        raise NotImplementedError('later')\n"
    )
    ran = shell.run("%%grad -q\nx = Variable(np.array(2.0))\ny = Unfinished()(x)\n")
    assert "Unfinished.backward raised NotImplementedError: later" in str(ran.error)
    assert shell["x"].grad is None


def test_what_a_backward_prints_is_printed_once(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "class Loud(Function):\n"
        "    def forward(self, x):\n"
        "        return 2 * x\n"
        "    def backward(self, gy):\n"
        "        print('loud')\n"
        "        return 2 * gy\n"
    )
    ran = shell.run("%%grad -q\nx = Variable(np.array(2.0))\ny = Loud()(x)\n")
    assert ran.text.count("loud") == 1


def test_random_layers_stay_as_they_were(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q -o bp\nnp.random.seed(0)\nx = Variable(np.ones(4))\ny = F.sum(F.dropout(x))\n"
    )
    bp = shell["bp"]
    np.testing.assert_array_equal(finals(bp)["x"], shell["x"].grad.data)


def test_a_gradient_assigned_to_the_result_starts_the_pass(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("x = Variable(np.array(3.0))\ny = x * x\ny.grad = Variable(np.array(10.0))\n")
    assert shell.run("%grad y -q -o bp").is_fine
    assert float(finals(shell["bp"])["x"]) == 60.0


def test_a_cotangent_starts_the_pass(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q --cotangent '[1.0, 10.0]'\nx = Variable(np.ones(2))\ny = x * x\n")
    np.testing.assert_array_equal(shell["x"].grad.data, [2, 20])


def test_a_float32_graph_stays_float32() -> None:
    x = Variable(np.array([0.5, 1.0], np.float32))
    y = F.sum(F.exp(x))
    bp = backward_pass(y)
    assert finals(bp)["x"].dtype == np.float32
    assert [step.check.status for step in bp] == ["agrees", "agrees"]


def test_a_leaf_that_ends_the_cell_does_not_hide_the_result(shell: Shell) -> None:
    shell.run(IMPORTS)
    assert shell.run(SEED + "x\n").is_fine
    assert names(shell["bp"])[-1] == "y"


@pytest.mark.parametrize("end", ["", "1 / 0\n"])
def test_its_methods_are_its_own_again_after_the_cell(shell: Shell, end: str) -> None:
    shell.run(IMPORTS)
    before = (vars(Function)["__call__"], vars(Variable)["backward"])
    shell.run(
        "%%grad -q\nx = Variable(np.array(3.0))\ny = x * x\nheard = Function.__call__\n" + end
    )
    assert shell["heard"] is not before[0]
    assert (vars(Function)["__call__"], vars(Variable)["backward"]) == before


def test_results_of_its_own_complete_the_line_magic(shell: Shell) -> None:
    shell.run(IMPORTS + "x = Variable(np.array(3.0))\nresult = x * x\n")
    with provisionalcompleter():
        found = shell.ipython.Completer.completions("%grad res", len("%grad res"))
        assert "result" in {completion.text for completion in found}


def test_a_leaf_is_no_result(shell: Shell) -> None:
    shell.run(IMPORTS + "x = Variable(np.array(3.0))\n")
    assert "is a leaf" in shell.run("%grad x").text


def test_a_function_object_called_twice_is_told(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nA = F.Exp()\nx = Variable(np.array(0.3))\na = A(x)\ny = A(a)\n")
    told = (
        "a has a creator, but that exp was called again since, and an object remembers its latest "
        "call only: the pass cannot go on from a. Make a new exp for each call."
    )
    assert told in str(shell["bp"])
    assert "that exp was called again since" in str(backward_pass(shell["y"]))
    assert list(finals(shell["bp"])) == ["a"]


def test_what_is_made_inside_no_grad_is_told_to_be_cut(shell: Shell) -> None:
    shell.run(IMPORTS)
    ran = shell.run(
        "%%grad -q -o bp\nx = Variable(np.array(2.0))\nwith dezero.no_grad():\n"
        "    a = x ** 2\ny = a * x"
    )
    assert ran.is_fine, ran.text
    assert cut_of(shell["bp"], "a")[0] == "grad 2, cut"
    assert cut_of(shell["bp"], "x")[0] == "grad 4"
