"""What a recorded pass tells when it is asked: local derivatives and the chain rule."""

from __future__ import annotations

import numpy as np
import pytest

from ipygrad import Variable, backward_pass, exp, local_derivative, matmul, square


def test_the_chain_rule_of_a_variable_or_of_a_name() -> None:
    x = Variable(2.0)
    a = square(x)
    y = square(a) + 3 * a
    bp = backward_pass(y)
    lines = str(bp.chain(x)).splitlines()
    assert lines[0] == "∂y/∂x"
    assert [line.rsplit(" = ", 1)[1] for line in lines[1:]] == ["32", "12", "44"]
    assert lines[-1] == "∂y/∂x = 32 + 12 = 44"
    assert bp.chain("x") == bp.chain(x)
    assert repr(bp.chain("a")) == str(bp.chain(a)), "a notebook shows it without quotes"


def test_chains_there_are_none_of() -> None:
    x, other = Variable(2.0), Variable(1.0)
    bp = backward_pass(square(x) * 3)
    with pytest.raises(ValueError, match=r"'b' is not in this graph. Its variables are x, "):
        bp.chain("b")
    with pytest.raises(ValueError, match="chain needs a variable of this graph"):
        bp.chain(other)
    with pytest.raises(ValueError, match="the pass does not reach 3: it has no gradient"):
        bp.chain("3")


def test_local_derivatives_of_a_step() -> None:
    x, w = Variable([[1.0, 2.0]]), Variable([[3.0], [4.0]])
    last, product = backward_pass(exp(matmul(x, w)))
    assert local_derivative(last).kind == "points"
    assert local_derivative(product, 0).jacobian == pytest.approx(np.array([[[[3.0, 4.0]]]]))
    assert local_derivative(product, 1).jacobian == pytest.approx(np.array([[[[1.0], [2.0]]]]))
    assert local_derivative(product, 1) is product.local_derivatives[1]


def test_there_is_none_by_a_constant() -> None:
    (step,) = backward_pass(Variable(2.0) ** 3)
    assert step.local_derivatives[1] is None
    with pytest.raises(ValueError, match="input 1 of power is a constant"):
        local_derivative(step, 1)


@pytest.mark.parametrize("argnum", [-1, 2])
def test_an_input_that_is_not_there(argnum: int) -> None:
    (step,) = backward_pass(Variable(2.0) * Variable(3.0))
    with pytest.raises(IndexError, match=rf"multiply has inputs 0 to 1, .* no input {argnum}"):
        local_derivative(step, argnum)
