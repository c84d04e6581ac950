"""An engine that ipygrad knows nothing of, and the adapter that CONTRIBUTING gives for it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipygrad import register_engine
from ipygrad.capture import adapters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.shell import Shell

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
ADAPTER, REGISTRATION = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
ENGINE = """
import numpy as np


class Node:
    def __init__(self, value, operation=None):
        self.value = value
        self.operation = operation
        self.gradient = None

    def backward(self, cotangent):
        self.gradient = cotangent
        if self.operation is not None:
            for x, part in zip(self.operation.operands, self.operation.pull_back(cotangent)):
                x.backward(part if x.gradient is None else x.gradient + part)


class Operation:
    def __call__(self, *operands):
        self.operands = operands
        (value,) = self.run(*[x.value for x in operands])
        self.result = Node(value, self)
        return self.result


class Square(Operation):
    def run(self, x):
        self.x = x
        return (x**2,)

    def pull_back(self, gy):
        return (2 * self.x * gy,)


class Exp(Operation):
    def run(self, x):
        self.y = np.exp(x)
        return (self.y,)

    def pull_back(self, gy):
        return (self.y * gy,)
"""
SEED = """\
%%grad -o bp
x = Node(np.array(0.5))
a = Square()(x)
b = Exp()(a)
y = Square()(b)
"""


@pytest.fixture
def tinygraph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the engine and its adapter where Python finds them."""
    (tmp_path / "tinygraph.py").write_text(ENGINE)
    (tmp_path / "tinygraph_steps.py").write_text(ADAPTER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(adapters, "LIBRARIES", {**adapters.LIBRARIES})
    yield
    for name in ("tinygraph", "tinygraph_steps"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("tinygraph")
def test_the_adapter_in_contributing_steps_through_its_engine(shell: Shell) -> None:
    shell.run("%reset -f")
    assert shell.run(REGISTRATION).is_fine
    assert shell.run("import numpy as np\nfrom tinygraph import Node, Square, Exp").is_fine
    ran = shell.run(SEED)
    assert ran.is_fine
    bp = shell["bp"]
    assert [(step.label, step.line) for step in bp] == [("Square", 5), ("Exp", 4), ("Square", 3)]
    assert [node.name for node in bp.graph.variables] == ["x", "a", "b", "y"]
    assert [step.after[0].item() for step in bp] == [
        2.568050833375483, 3.297442541400256, 3.297442541400256,
    ]  # fmt: skip
    assert [step.check.status for step in bp] == ["agrees"] * 3
    assert [local.kind for step in bp for local in step.local_derivatives] == ["curve"] * 3
    assert [shell[name].gradient.item() for name in "xab"] == [
        3.297442541400256, 3.297442541400256, 2.568050833375483,
    ]  # fmt: skip
    assert "Backward pass of b" in shell.run("%grad b").text


@pytest.mark.usefixtures("tinygraph")
def test_its_file_is_imported_when_its_variables_turn_up(shell: Shell) -> None:
    shell.run(REGISTRATION)
    shell.run("%%grad -q\ny = square(Variable(2.0))\n")
    assert "tinygraph_steps" not in sys.modules


def test_a_registration_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="named like 'module:class', not 'tinygraph_steps'"):
        register_engine("tinygraph", "tinygraph_steps")
