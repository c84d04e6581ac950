from __future__ import annotations

import builtins
import getpass
import logging
import math
import random
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from ipygrad import Function, Variable, no_grad
from ipygrad.capture.quiet import private_copy, quietly
from ipygrad.explain import sampling
from ipygrad.explain.local import local_derivative_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.shell import Shell


class Square(Function):
    def forward(self, x: Any) -> Any:
        return x**2

    def backward(self, gy: Any) -> Any:
        return 2 * self.input.data * gy


class Exp(Function):
    def forward(self, x: Any) -> Any:
        return np.exp(x)

    def backward(self, gy: Any) -> Any:
        return np.exp(self.input.data) * gy


class Log(Function):
    def forward(self, x: Any) -> Any:
        return np.log(x)

    def backward(self, gy: Any) -> Any:
        return gy / self.input.data


class Relu(Function):
    def forward(self, x: Any) -> Any:
        return np.maximum(x, 0)

    def backward(self, gy: Any) -> Any:
        return gy * (self.input.data > 0)


class Tan(Function):
    def forward(self, x: Any) -> Any:
        return np.tan(x)

    def backward(self, gy: Any) -> Any:
        return gy / np.cos(self.input.data) ** 2


class Mul(Function):
    def forward(self, a: Any, b: Any) -> Any:
        return a * b

    def backward(self, gy: Any) -> Any:
        a, b = self.inputs
        return gy * b.data, gy * a.data


class Rude(Square):
    """Does what an extra call must not let through."""

    calls: int = 0

    def __init__(self) -> None:
        self.seen: list[float] = []

    def forward(self, x: Any) -> Any:
        print("forward", x)
        print("careful", file=sys.stderr)
        warnings.warn("do not do this", stacklevel=1)
        np.random.seed(len(self.seen))  # noqa: NPY002 - the global generator is what is tested
        random.random()  # noqa: S311
        self.calls += 1
        self.seen.append(float(x))
        if x < 0:
            raise ValueError("only for the brave")
        return super().forward(x)


# Any: what is None for other kinds is there for a curve.
def found(function: Function, *values: float, argnum: int = 0) -> Any:
    inputs = [Variable(np.array(value)) for value in values]
    with np.errstate(all="ignore"):
        output = function(*inputs)
    result = local_derivative_of(function, argnum, x_name="x", y_name="y", label="f")
    assert output.creator is function
    return result


def test_seed_step() -> None:
    b = float(np.exp(0.25))
    square = found(Square(), b)
    assert (square.kind, square.argnum, square.arity) == ("curve", 0, 1)
    assert (square.x, square.y) == (b, b**2)
    assert square.slope == 2.568050833375483
    u, f, slope = square.samples.u, square.samples.f, square.samples.slope
    assert u.shape == f.shape == slope.shape == (121,)
    assert np.all(np.diff(u) > 0)
    np.testing.assert_allclose(f, u**2)
    np.testing.assert_allclose(slope, 2 * u)


@pytest.mark.parametrize("x", [0.5, 0.0, -3.0, 1e-12, 1e6, 0.1 + 0.2])
def test_the_point_itself_is_a_sample(x: float) -> None:
    square = found(Square(), x)
    middle = square.samples.u.size // 2
    assert square.samples.u[middle] == x
    assert square.samples.f[middle] == square.y
    assert square.samples.slope[middle] == square.slope


def test_one_input_varies_the_others_are_held() -> None:
    first, second = found(Mul(), 2.0, 5.0), found(Mul(), 2.0, 5.0, argnum=1)
    assert (first.x, first.slope, first.arity) == (2.0, 5.0, 2)
    assert (second.x, second.slope, second.argnum) == (5.0, 2.0, 1)
    np.testing.assert_allclose(second.samples.f, 2 * second.samples.u)
    np.testing.assert_allclose(second.samples.slope, 2.0)


def test_a_variable_used_twice_is_two_inputs() -> None:
    x = Variable(np.array(3.0))
    times = Mul()
    y = times(x, x)
    both = [local_derivative_of(times, i, x_name="x", y_name="y", label="mul") for i in (0, 1)]
    assert y.data == 9.0
    assert [each.slope for each in both] == [3.0, 3.0]


def half_width(result: Any) -> float:
    return float(result.samples.u[-1] - result.x)


def test_window_of_ordinary_numbers_shows_zero() -> None:
    assert half_width(found(Square(), 0.5)) == pytest.approx(1.5)
    assert half_width(found(Square(), 1e-12)) == pytest.approx(1.5)
    assert half_width(found(Square(), 1e6)) == pytest.approx(1.5e6)


def test_window_shows_the_kink_that_a_dead_unit_is_far_from() -> None:
    dead = found(Relu(), -5.0)
    assert dead.slope == 0.0
    assert dead.samples.u[0] < -5 < 0 < dead.samples.u[-1]
    assert np.nanmax(dead.samples.f) > 0


@pytest.mark.parametrize(
    ("function", "x", "widest"), [(Exp, 50.0, 5.0), (Log, 1e-3, 0.1), (Tan, 1.57, 0.01)]
)
def test_window_shrinks_to_what_the_function_does(
    function: type[Function], x: float, widest: float
) -> None:
    result = found(function(), x)
    assert 0 < half_width(result) < widest
    near = np.abs(result.samples.u - x) < 0.1 * half_width(result)
    # Near the point, curve and tangent go the same way: it is seen that they touch.
    tangent = result.y + result.slope * (result.samples.u[near] - x)
    np.testing.assert_allclose(
        result.samples.f[near], tangent, atol=0.5 * abs(result.slope) * half_width(result)
    )


def test_gaps_where_undefined() -> None:
    log = found(Log(), 0.5)
    outside = log.samples.u <= 0
    assert outside.any()
    assert np.isnan(log.samples.f[outside]).all()
    assert np.isnan(log.samples.slope[outside]).all()
    assert np.isfinite(log.samples.f[~outside]).all()


def test_overflow_is_a_gap() -> None:
    f = found(Exp(), 709.0).samples.f
    assert np.isnan(f).any()
    assert not np.isinf(f).any()


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_no_samples_around_what_is_no_number(x: float) -> None:
    assert found(Square(), x).samples.u.size == 0


def test_wrong_argnum() -> None:
    square = Square()
    y = square(Variable(np.array(1.0)))
    with pytest.raises(IndexError):
        local_derivative_of(square, 1, x_name="x", y_name="y", label="square")
    assert y.creator is square


def test_backward_that_raises_leaves_a_curve_without_slope() -> None:
    class Unfinished(Square):
        def backward(self, gy: Any) -> Any:
            raise NotImplementedError

    result = found(Unfinished(), 1.0)
    assert math.isnan(result.slope)
    assert np.isfinite(result.samples.f).all()
    assert np.isnan(result.samples.slope).all()


def test_slope_is_that_of_the_recorded_call() -> None:
    """Dropout draws its mask in forward: the slope is the one of the mask that was drawn."""

    class Dropout(Function):
        def forward(self, x: Any) -> Any:
            self.mask = 2 * np.random.randint(2)  # noqa: NPY002 - as learners write it
            return x * self.mask

        def backward(self, gy: Any) -> Any:
            return gy * self.mask

    np.random.seed(0)  # noqa: NPY002
    for _ in range(8):
        dropout = Dropout()
        assert found(dropout, 1.0).slope == dropout.mask


def test_inside_no_grad() -> None:
    square = Square()
    y = square(Variable(np.array(3.0)))
    with no_grad():
        result = local_derivative_of(square, 0, x_name="x", y_name="y", label="square")
    assert y.data == 9.0
    assert result.samples is not None
    np.testing.assert_allclose(result.samples.slope, 2 * result.samples.u)


def test_extra_calls_leave_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    rude = Rude()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = rude(Variable(np.array(0.5)))
    capsys.readouterr()
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    expected = np.random.random(), random.random()  # noqa: NPY002, S311
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)

    result = local_derivative_of(rude, 0, x_name="x", y_name="y", label="rude")

    assert (np.random.random(), random.random()) == expected  # noqa: NPY002, S311
    assert capsys.readouterr() == ("", "")
    assert (rude.calls, rude.seen, rude.output) == (1, [0.5], y)
    assert y.creator is rude
    assert result.samples is not None
    negative = result.samples.u < 0
    assert np.isnan(result.samples.f[negative]).all()
    np.testing.assert_allclose(result.samples.f[~negative], result.samples.u[~negative] ** 2)


def test_interrupt_goes_through() -> None:
    class Impatient(Square):
        armed: ClassVar[bool] = False

        def forward(self, x: Any) -> Any:
            if self.armed:
                raise KeyboardInterrupt
            return super().forward(x)

    impatient = Impatient()
    y = impatient(Variable(np.array(1.0)))
    Impatient.armed = True
    before = random.getstate()
    with pytest.raises(KeyboardInterrupt):
        local_derivative_of(impatient, 0, x_name="x", y_name="y", label="impatient")
    assert random.getstate() == before
    assert y.creator is impatient


@pytest.mark.parametrize(("seconds", "points"), [(0.001, 121), (0.01, 31), (0.1, 1)])
def test_slow_functions_get_fewer_points(
    monkeypatch: pytest.MonkeyPatch, seconds: float, points: int
) -> None:
    clock = 0.0

    class Slow(Square):
        def forward(self, x: Any) -> Any:
            nonlocal clock
            clock += seconds
            return super().forward(x)

    monkeypatch.setattr(sampling, "perf_counter", lambda: clock)
    slow = found(Slow(), 2.0)
    assert slow.samples.u.size == points
    assert slow.samples.u[points // 2] == 2.0


def test_same_samples_each_time() -> None:
    first, second = found(Tan(), 1.5), found(Tan(), 1.5)
    np.testing.assert_array_equal(first.samples.u, second.samples.u)
    np.testing.assert_array_equal(first.samples.f, second.samples.f)


def test_private_copy_keeps_the_links_and_shares_nothing_else() -> None:
    rude = Rude()
    rude.inputs = (Variable(np.array(1.0)),)
    y = Variable(np.array(1.0))
    rude.output = y
    copy = private_copy(rude)
    copy.seen.append(1.0)
    assert (copy.input, copy.output) == (rude.input, y)
    assert rude.seen == []


def test_private_copy_of_what_cannot_be_copied(tmp_path: Any) -> None:
    square = Square()
    y = square(Variable(np.array(1.0)))
    with (tmp_path / "log").open("w") as file:
        square.__dict__["file"] = file
        assert private_copy(square).__dict__["file"] is file
    assert y.creator is square


def test_quietly_hands_exceptions_on() -> None:
    with pytest.raises(ZeroDivisionError), quietly():
        _ = 1 / 0


@pytest.mark.parametrize("ask", [lambda: builtins.input(), lambda: getpass.getpass(), breakpoint])
def test_nobody_is_asked(ask: Callable[[], object]) -> None:
    before = builtins.input, getpass.getpass, sys.breakpointhook
    with pytest.raises(EOFError, match="nobody can answer"), quietly():
        ask()
    assert (builtins.input, getpass.getpass, sys.breakpointhook) == before


def test_a_forward_that_asks_has_a_gap() -> None:
    class Asks(Square):
        armed: ClassVar[bool] = False

        def forward(self, x: Any) -> Any:
            if self.armed:
                input("Go on?")
            return super().forward(x)

    asks = Asks()
    y = asks(Variable(np.array(1.0)))
    Asks.armed = True
    result = local_derivative_of(asks, 0, x_name="x", y_name="y", label="asks")
    assert result.samples is not None
    assert (y.data, result.slope) == (1.0, 2.0)
    assert np.isnan(result.samples.f).all()


def test_loggers_are_silent_and_put_back(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("learner")
    logging.disable(logging.DEBUG)
    try:
        with quietly():
            logger.critical("inside")
        assert logging.root.manager.disable == logging.DEBUG
    finally:
        logging.disable(logging.NOTSET)
    logger.critical("outside")
    assert caplog.messages == ["outside"]


def test_what_other_threads_write_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    def others() -> None:
        print("theirs")
        print("theirs, too", file=sys.stderr)

    with quietly():
        print("ours", flush=True)
        thread = threading.Thread(target=others)
        thread.start()
        thread.join()
        sys.stderr.writelines(["ours"])
    assert capsys.readouterr() == ("theirs\n", "theirs, too\n")


def test_nothing_is_displayed(shell: Shell) -> None:
    ran = shell.run(
        "from ipygrad.capture.quiet import quietly\n"
        "from IPython.display import clear_output, display\n"
        "with quietly():\n    display('ours')\n    clear_output()\n"
        "display('shown')"
    )
    assert ran.is_fine
    assert "ours" not in ran.text
