"""The notes that this package began with: steps 5 to 7 of a book on automatic differentiation.

Their story, told anew as the cells of one notebook: a forward pass, the way back by hand, the way
back along the creators, and ``y.backward()``. Each works in an ordinary cell and under ``%%grad``,
with our classes and with classes as learners type them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.shell import Shell

X_GRAD = 3.297442541400256

OUR_CLASSES = "from ipygrad import Variable, Function, Square, Exp"
OWN_CLASSES = """\
from ipygrad import Variable, Function

class Square(Function):
    def forward(self, x):
        y = x ** 2
        return y

    def backward(self, gy):
        x = self.input.data
        gx = 2 * x * gy
        return gx

class Exp(Function):
    def forward(self, x):
        y = np.exp(x)
        return y

    def backward(self, gy):
        x = self.input.data
        gx = np.exp(x) * gy
        return gx
"""
OWN_CALL = """\
from ipygrad import Variable, Function as Base

class Function(Base):
    def __call__(self, input):
        x = input.data
        y = self.forward(x)
        output = Variable(y)
        output.set_creator(self)
        self.input = input
        self.output = output
        return output
""" + OWN_CLASSES.partition("\n")[2]

FORWARD = """\
A = Square()
B = Exp()
C = Square()

x = Variable(np.array(0.5))
a = A(x)
b = B(a)
y = C(b)
"""
LINKS = """\
assert y.creator == C
assert y.creator.input == b
assert y.creator.input.creator == B
assert y.creator.input.creator.input == a
assert y.creator.input.creator.input.creator == A
assert y.creator.input.creator.input.creator.input == x
assert x.creator is None
"""
BY_HAND = """\
y.grad = np.array(1.0)
b.grad = C.backward(y.grad)
a.grad = B.backward(b.grad)
x.grad = A.backward(a.grad)
print(x.grad)
"""
ALONG_THE_CREATORS = """\
y.grad = np.array(1.0)
variable = y
while variable.creator is not None:
    function = variable.creator
    function.input.grad = function.backward(variable.grad)
    variable = function.input
print(variable.grad)
"""
BACKWARD_FROM_ONE = """\
y.grad = np.array(1.0)
y.backward()
print(x.grad)
"""
BACKWARD = """\
y.backward()
print(x.grad)
"""
WAYS_BACK = {
    "by hand": BY_HAND,
    "along the creators": ALONG_THE_CREATORS,
    "backward from one": BACKWARD_FROM_ONE,
    "backward": BACKWARD,
}

pytestmark = pytest.mark.parametrize(
    "classes", [OUR_CLASSES, OWN_CLASSES, OWN_CALL], ids=["ours", "own classes", "own call"]
)


@pytest.fixture
def notebook(shell: Shell, classes: str) -> Shell:
    """Give a shell that knows no more than the first cell of the notes imports or defines."""
    shell.run("%reset -f")
    assert shell.run("import numpy as np").is_fine
    assert shell.run(classes).is_fine
    return shell


def gradients(notebook: Shell) -> list[float]:
    return [notebook[name].grad.item() for name in "yba"] + [notebook["x"].grad.item()]


@pytest.mark.parametrize("way_back", WAYS_BACK.values(), ids=WAYS_BACK)
def test_cell_by_cell(notebook: Shell, way_back: str) -> None:
    for cell in (FORWARD, LINKS):
        ran = notebook.run(cell)
        assert (ran.error, ran.text) == (None, "")
    assert notebook["y"].data == 1.648721270700128
    ran = notebook.run(way_back)
    assert (ran.error, ran.text) == (None, f"{X_GRAD}\n")
    assert gradients(notebook) == [1.0, 2.568050833375483, X_GRAD, X_GRAD]


@pytest.mark.parametrize("way_back", WAYS_BACK.values(), ids=WAYS_BACK)
def test_under_the_magic_gradients_are_not_doubled(notebook: Shell, way_back: str) -> None:
    ran = notebook.run("%%grad -o bp\n" + FORWARD + LINKS + way_back)
    assert ran.error is None
    assert ran.text.startswith(f"{X_GRAD}\nBackward pass of y\n")
    assert gradients(notebook) == [1.0, 2.568050833375483, X_GRAD, X_GRAD]
    assert [step.after for step in notebook["bp"]] == [(2.568050833375483,), (X_GRAD,), (X_GRAD,)]


def test_under_the_magic_the_forward_pass_is_enough(notebook: Shell) -> None:
    ran = notebook.run("%%grad\n" + FORWARD)
    assert ran.error is None
    assert ran.text.startswith("Backward pass of y\n")
    assert gradients(notebook) == [1.0, 2.568050833375483, X_GRAD, X_GRAD]


@pytest.mark.parametrize("way_back", [BY_HAND, ALONG_THE_CREATORS], ids=list(WAYS_BACK)[:2])
def test_the_way_back_alone_under_the_magic(notebook: Shell, way_back: str) -> None:
    assert notebook.run(FORWARD).is_fine
    ran = notebook.run("%%grad\n" + way_back)
    assert ran.error is None
    assert ran.text.startswith(f"{X_GRAD}\nBackward pass of y\n")
    assert notebook["x"].grad.item() == X_GRAD
