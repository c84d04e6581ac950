"""Methods that hand over the values of their names."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from ipygrad.capture.values import with_values_kept

SLOPES = """
class Base:
    def backward(self, gy):
        return gy
class Squares(Base):
    __factor = 2
    def backward(self, gy, *, x=3.0):
        def never(value):
            return None
        gx = self.__factor * x * super().backward(gy)
        return gx
class Named(Base):
    def backward(self, gy):
        return (gx := sum(g for g in [gy, gy]))
class Curious(Base):
    def backward(self, gy):
        self.names = locals()
        return gy
class Forgotten(Base):
    def backward(self, gy):
        gx = gy
def made():
    slope = 5.0
    class Around(Base):
        def backward(self, gy):
            gx = slope * gy
            return gx
    return Around
Around = made()
"""


@pytest.fixture
def classes() -> dict[str, Any]:
    """Return classes whose text can be read again, as the shell's can."""
    linecache.cache["<slopes>"] = (
        len(SLOPES), None, SLOPES.splitlines(keepends=True), "<slopes>",
    )  # fmt: skip
    namespace: dict[str, Any] = {"__name__": "slopes"}
    exec(compile(SLOPES, "<slopes>", "exec"), namespace)  # noqa: S102 - the text above
    return namespace


def kept_of(kind: Any, *given: float) -> tuple[Any, list[dict[str, Any]]]:
    kept: list[dict[str, Any]] = []
    keeping = with_values_kept(kind.backward, kept.append)
    assert (keeping.__name__, keeping.__globals__) == ("backward", kind.backward.__globals__)
    assert keeping.__code__.co_firstlineno == kind.backward.__code__.co_firstlineno
    return keeping(kind(), *given), kept


@pytest.mark.parametrize(("name", "gradient"), [("Squares", 6.0), ("Named", 2.0), ("Around", 5.0)])
def test_the_names_at_the_end_are_kept(classes: dict[str, Any], name: str, gradient: float) -> None:
    returned, kept = kept_of(classes[name], 1.0)
    (names,) = kept
    assert returned == gradient
    assert (names["gy"], names["gx"]) == (1.0, gradient)


def test_no_names_are_kept_but_the_methods_own(classes: dict[str, Any]) -> None:
    _, (names,) = kept_of(classes["Named"], 1.0)
    assert [*names] == ["self", "gy", "gx"]


def test_nothing_is_kept_of_what_does_not_return(classes: dict[str, Any]) -> None:
    assert kept_of(classes["Forgotten"], 1.0) == (None, [])


def test_a_method_that_looks_at_its_names_is_left_alone(classes: dict[str, Any]) -> None:
    method = classes["Curious"].backward
    assert with_values_kept(method, print) is method


def test_a_text_that_is_no_longer_what_runs_is_left_alone(classes: dict[str, Any]) -> None:
    lines = SLOPES.replace("return gy", "return -gy").splitlines(keepends=True)
    linecache.cache["<slopes>"] = (len(SLOPES), None, lines, "<slopes>")
    method = classes["Base"].backward
    assert with_values_kept(method, print) is method


def test_without_a_text_the_method_stays() -> None:
    method = eval("lambda self, gy: gy")  # noqa: S307 - the text on this line
    assert with_values_kept(method, print) is method
