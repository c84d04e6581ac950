"""``%%grad`` on PyTorch: the graph, the numbers and the gradients are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import backward_pass

if TYPE_CHECKING:
    from tests.shell import Shell

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

IMPORTS = "import torch\nimport torch.nn.functional as F\n"
SEED = """\
%%grad -q -o bp
x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
a = x ** 2
b = a.exp()
y = b ** 2
"""
NETWORK = """\
%%grad -q -o bp
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
x = torch.randn(4, 2)
t = torch.tensor([0, 1, 1, 0])
loss = F.cross_entropy(model(x), t)
"""


def names(bp: Any) -> list[str]:
    return [node.name for node in bp.graph.variables]


def labels(bp: Any) -> list[str]:
    return [step.label for step in bp]


def finals(bp: Any) -> dict[str, Any]:
    """Return the last gradient of each variable that the pass reaches, by name."""
    found = {}
    for step in bp:
        inputs = bp.graph.functions[step._bare.function].inputs
        for number, after in zip(inputs, step.after, strict=True):
            found[bp.graph.variables[number].name] = after
    return found


def test_the_seed_example_has_its_names_lines_values_and_digits(shell: Shell) -> None:
    shell.run(IMPORTS)
    assert shell.run(SEED).is_fine
    bp = shell["bp"]
    assert names(bp) == ["x", "a", "b", "y"]
    assert [(step.label, step.line) for step in bp] == [("pow", 5), ("exp", 4), ("pow", 3)]
    assert [node.source for node in bp.graph.functions] == ["x ** 2", "a.exp()", "b ** 2"]
    assert [float(node.value) for node in bp.graph.variables] == pytest.approx(
        [0.5, 0.25, np.exp(0.25), np.exp(0.5)], rel=1e-15
    )
    assert float(finals(bp)["x"]) == 3.297442541400256


def test_gradients_stand_as_after_one_ordinary_backward(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(SEED)
    assert shell["x"].grad.item() == 3.297442541400256


def test_a_cell_that_went_back_by_itself_is_shown_and_left_alone(shell: Shell) -> None:
    shell.run(IMPORTS)
    ran = shell.run(SEED + "y.backward()\nx.grad\n")
    assert ran.is_fine
    assert labels(shell["bp"]) == ["pow", "exp", "pow"]
    assert shell["x"].grad.item() == 3.297442541400256


def test_every_function_of_numbers_has_a_curve_and_a_check(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q -o bp\n"
        "x = torch.tensor(0.7, requires_grad=True)\n"
        "y = torch.sin(x) * x.tanh() + torch.log(x) / (x + 1) - F.relu(x) ** 3\n"
    )
    assert len(shell["bp"]) == 10
    for step in shell["bp"]:
        assert step.check.status == "agrees"
        for local in step.local_derivatives:
            assert local is not None
            assert np.isfinite(local.samples.slope).sum() > 20


def test_a_tensor_used_twice_is_one_box_with_two_edges(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = torch.tensor(3.0, requires_grad=True)\ny = x * x\n")
    (step,) = shell["bp"]
    assert names(shell["bp"]) == ["x", "y"]
    assert [float(c) for c in step.contributions] == [3.0, 3.0]


def test_tensors_without_a_gradient_are_constants(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q -o bp\n"
        "w = torch.tensor([1.0, 2.0], requires_grad=True)\n"
        "x = torch.tensor([3.0, 4.0])\n"
        "y = (w * x).sum()\n"
    )
    bp = shell["bp"]
    kinds = {node.name: node.kind for node in bp.graph.variables}
    assert (kinds["w"], kinds["x"]) == ("leaf", "constant")
    assert bp[1].contributions[1] is None


def test_broadcasting_is_summed_back(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q -o bp\n"
        "x = torch.ones(4, 3, requires_grad=True)\n"
        "b = torch.ones(3, requires_grad=True)\n"
        "y = (x + b).sum()\n"
    )
    np.testing.assert_array_equal(finals(shell["bp"])["b"], [4, 4, 4])
    np.testing.assert_array_equal(shell["b"].grad.numpy(), [4, 4, 4])


def test_a_network_with_a_loss(shell: Shell) -> None:
    shell.run(IMPORTS)
    assert shell.run(NETWORK).is_fine
    bp, model = shell["bp"], shell["model"]
    assert labels(bp) == ["nll_loss", "log_softmax", "addmm", "tanh", "addmm", "t", "t"]
    assert {step.line for step in bp} == {6}
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(
            finals(bp)[f"model.{name}"], parameter.grad.numpy(), rtol=1e-5, atol=1e-7
        )
    assert all(step.check.status != "disagrees" for step in bp)
    assert all(np.isfinite(node.value).all() for node in bp.graph.variables)


NOT_HEARD = """\
torch.manual_seed(0)
x = torch.tensor([0.5, 0.2, 1.5], requires_grad=True)
n = torch.tensor(0.7, requires_grad=True)
w = torch.randn(2, 3)
"""


@pytest.mark.parametrize(
    "expression",
    [
        "(n * 3).exp()",
        "F.softplus(F.gelu(n / 2)).sqrt()",
        "torch.where(x > 0.3, x ** 2, x.sin()).sum()",
        "(w @ x).tanh().sum()",
        "(x.view(3, 1) * 2).mean(0).sum()",
        "torch.cat([x, x * 2])[1:].pow(2).mean()",
        "F.cross_entropy(torch.nn.Linear(3, 2)(x)[None], torch.tensor([1]))",
        "F.mse_loss(F.leaky_relu(x, 0.1), torch.ones(3))",
        "x.log_softmax(-1).max(0).values",
        "F.elu(x / x.var()).norm()",
        "torch.stack([x, x]).permute(1, 0).clamp(0.3, 1).sum(dim=-1, keepdim=True).prod()",
        "F.embedding(torch.tensor([0, 1]), x.expand(2, 3)).cumsum(1).sum()",
    ],
)
def test_what_was_not_heard_is_repeated_from_what_torch_saved(
    shell: Shell, expression: str
) -> None:
    shell.run(IMPORTS + NOT_HEARD + f"y = {expression}\n")
    assert shell.run("%grad y -q -o bp").is_fine
    bp = shell["bp"]
    assert {step.check.status for step in bp} == {"agrees"}
    assert "was not kept" not in str(bp)
    for step in bp:
        for local in step.local_derivatives:
            if local.samples is not None:
                assert np.isfinite(local.samples.slope).any()
    shell.run("y.backward()")
    for name, gradient in finals(bp).items():
        if name in "xn":
            np.testing.assert_allclose(gradient, shell[name].grad.numpy(), rtol=1e-5, atol=1e-7)


def test_what_cannot_be_repeated_has_a_slope_and_says_why(shell: Shell) -> None:
    shell.run(IMPORTS + NOT_HEARD + "y = ((x + 1).relu() - 1).sum()\nz = (n + 1) * (n + 2)\n")
    shell.run("%grad y -q -o bp")
    step = shell["bp"][3]
    assert (step.label, step.check.status, step.check.reason) == (
        "add", "not checked", "forward fails",
    )  # fmt: skip
    np.testing.assert_array_equal(step.local_derivatives[0].jacobian, np.eye(3))
    text = shell["bp"]._payload({})["steps"][4]["texts"]["check"]
    assert text == (
        "– Not checked, and without a curve: add cannot be called again, because torch has not "
        "kept its argument other, which has no gradient. What it contributes is from its own "
        "backward."
    )
    shell.run("%grad z -q -o bp")
    assert [step.check.status for step in shell["bp"]] == ["agrees", "not checked", "not checked"]
    assert [local.slope for local in shell["bp"][0].local_derivatives] == pytest.approx([2.7, 1.7])


def test_random_functions_are_not_drawn_again(shell: Shell) -> None:
    shell.run(IMPORTS + NOT_HEARD + "y = F.rrelu(x - 1, training=True).sum()\n")
    shell.run("%grad y -q -o bp")
    assert all(step.check.status != "disagrees" for step in shell["bp"])
    shell.run("y.backward()")
    np.testing.assert_allclose(finals(shell["bp"])["x"], shell["x"].grad.numpy())


def test_a_users_own_function(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "class Cube(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n"
        "        ctx.save_for_backward(x)\n"
        "        return x ** 3\n"
        "    @staticmethod\n"
        "    def backward(ctx, gy):\n"
        "        (x,) = ctx.saved_tensors\n"
        "        return 3 * x * gy\n"
    )
    shell.run("%%grad -q -o bp\nx = torch.tensor(2.0, requires_grad=True)\ny = Cube.apply(x)\n")
    (step,) = shell["bp"]
    assert (step.label, step.check.status) == ("Cube", "disagrees")
    assert step.check.ratio == pytest.approx(0.5)


def test_a_function_of_several_outputs(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q -o bp\n"
        "x = torch.tensor([2.0, 3.0, 5.0], requires_grad=True)\n"
        "p, q, r = x.unbind(0)\n"
        "y = p * q\n"
    )
    bp = shell["bp"]
    assert labels(bp) == ["mul", "unbind"]
    assert names(bp) == ["x", "p", "q", "r", "y"]
    np.testing.assert_array_equal(finals(bp)["x"], [3, 2, 0])


def test_a_tensor_changed_in_place_keeps_its_history(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q -o bp\n"
        "x = torch.tensor(3.0, requires_grad=True)\n"
        "y = x.clone()\n"
        "y.mul_(2)\n"
        "y.add_(1)\n"
    )
    bp = shell["bp"]
    assert labels(bp) == ["add", "mul", "clone"]
    assert shell["x"].grad.item() == 2.0


def test_hooks_run_in_torchs_own_backward_once(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q\n"
        "seen = []\n"
        "x = torch.tensor(3.0, requires_grad=True)\n"
        "a = x * x\n"
        "_handle = a.register_hook(lambda gy: seen.append(gy.item()))\n"
        "y = 2 * a\n"
    )
    assert shell["seen"] == [2.0]
    shell.run("y.backward()")
    assert shell["seen"] == [2.0, 2.0]


def test_retained_gradients_are_left_as_torch_leaves_them(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q\n"
        "x = torch.tensor(3.0, requires_grad=True)\n"
        "a = x * x\n"
        "a.retain_grad()\n"
        "y = 2 * a\n"
    )
    assert shell["a"].grad.item() == 2.0


def test_gradients_left_over_are_told(shell: Shell) -> None:
    shell.run(IMPORTS + "x = torch.tensor(3.0, requires_grad=True)\n")
    shell.run("%%grad -q\ny = x * x\n")
    shell.run("%%grad -q -o bp\ny = x * x\n")
    assert shell["x"].grad.item() == 12
    assert "x.grad 6 → 12" in str(shell["bp"])


def test_a_cotangent_starts_the_pass(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run(
        "%%grad -q --cotangent '[1.0, 10.0]'\nx = torch.ones(2, requires_grad=True)\ny = x * x\n"
    )
    np.testing.assert_array_equal(shell["x"].grad.numpy(), [2, 20])


def test_without_the_magic_values_come_from_what_torch_saved() -> None:
    x = torch.tensor(0.5, requires_grad=True)
    y = (x.exp() * x).sin()
    bp = backward_pass(y)
    assert labels(bp) == ["sin", "mul", "exp"]
    values = [float(node.value) for node in bp.graph.variables]
    assert values == pytest.approx(
        [0.5, np.exp(0.5), 0.5 * np.exp(0.5), np.sin(0.5 * np.exp(0.5))], rel=1e-6
    )
    assert [step.check.status for step in bp] == ["agrees"] * 3
    assert x.grad is None


def test_values_that_nobody_kept_are_named(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("x = torch.tensor(0.5, requires_grad=True)\ny = (x + 1).exp()\n")
    assert shell.run("%grad y -q -o bp").is_fine
    text = str(shell["bp"])
    assert "What add(x) held was not kept" in text
    assert float(finals(shell["bp"])["x"]) == pytest.approx(np.exp(1.5), rel=1e-6)


def test_a_chain_far_deeper_than_recursion_goes() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x
    for _ in range(1500):
        y = y * 1.0
    bp = backward_pass(y.sum())
    assert len(bp) == 1501
    np.testing.assert_array_equal(finals(bp)["x"], [1, 1])


def test_a_graph_whose_buffers_were_freed_says_how_to_keep_them(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("x = torch.tensor(0.5, requires_grad=True)\ny = x * x\ny.backward()\n")
    assert "retain_graph=True" in str(shell.run("%grad y -q").error)


def test_a_float32_graph_stays_float32(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q -o bp\nx = torch.ones(3, requires_grad=True)\ny = x.exp().sum()\n")
    assert finals(shell["bp"])["x"].dtype == np.float32


def test_a_tensor_that_ends_the_cell_does_not_hide_the_result(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("z = torch.ones(2)\n")
    assert shell.run(SEED + "z\n").is_fine
    assert names(shell["bp"])[-1] == "y"


def test_a_leaf_is_no_result(shell: Shell) -> None:
    shell.run(IMPORTS + "x = torch.tensor(3.0, requires_grad=True)\n")
    assert "is a leaf" in shell.run("%grad x").text


def test_listening_ends_with_the_cell(shell: Shell) -> None:
    shell.run(IMPORTS)
    shell.run("%%grad -q\nx = torch.tensor(3.0, requires_grad=True)\ny = x * x\n1 / 0\n")
    assert torch.overrides._get_current_function_mode() is None
