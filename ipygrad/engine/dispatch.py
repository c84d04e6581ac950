"""Which of our functions does the work when one of numpy's is called on a Variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ipygrad.engine.core import Variable

F = TypeVar("F", bound="Callable[..., Any]")

implementations: dict[Any, Callable[..., Variable]] = {}
"""numpy's function -> ours."""

QUESTIONS = frozenset(
    [
        *(np.less, np.less_equal, np.greater, np.greater_equal),
        *(np.isfinite, np.isinf, np.isnan, np.signbit, np.isclose, np.allclose, np.array_equal),
        *(np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort),
        *(np.zeros_like, np.ones_like),
    ]
)
"""Functions whose answer does not change with the data in a way that has a derivative."""

INSTEAD = {
    "out": "leave out= out and assign the result",
    "where": "leave where= out and use np.where on the result",
    "dtype": "leave dtype= out and give the Variable's data that type",
    "initial": "leave initial= out and add it to the result",
}
USE_INSTEAD = {
    "add.reduce": "np.sum",
    "add.accumulate": "np.cumsum",
    "multiply.reduce": "np.prod",
    "multiply.outer": "np.outer",
    "maximum.reduce": "np.max",
    "minimum.reduce": "np.min",
    "logaddexp.reduce": "ipygrad.logsumexp",
    "vstack": "np.concatenate",
    "hstack": "np.concatenate",
    "array_split": "np.split",
    "median": "np.mean",
    "around": "np.rint",
    "round": "np.rint",
    "linalg.matrix_norm": "np.linalg.norm",
    "linalg.vector_norm": "np.linalg.norm",
    "linalg.eigh": "np.linalg.solve or np.linalg.inv",
    "equal": "x.data == y.data",
    "not_equal": "x.data != y.data",
}


def implements(*numpy_functions: Any) -> Callable[[F], F]:
    """Register the decorated function as what numpy's function does on Variables."""

    def register(function: F) -> F:
        for numpy_function in numpy_functions:
            implementations[numpy_function] = function
        return function

    return register


def name_of(numpy_function: Any, method: str = "__call__") -> str:
    """Return how a user writes one of numpy's functions, without the ``np.``."""
    module = getattr(numpy_function, "__module__", None) or "numpy"
    name = f"{module}.{numpy_function.__name__}".removeprefix("numpy").removeprefix(".")
    return name if method == "__call__" else f"{name}.{method}"


def dispatch(
    numpy_function: Any, inputs: tuple[Any, ...], options: Mapping[str, Any], method: str
) -> Any:
    """Call what is registered for one of numpy's functions.

    Raises
    ------
    TypeError
        When nothing is registered, or an option has no derivative; the message says what to do.
    """
    implementation = implementations.get(numpy_function)
    if implementation is None or method != "__call__":
        name = name_of(numpy_function, method)
        raise TypeError(
            f"np.{name} has no derivative here. Use "
            f"{USE_INSTEAD.get(name, 'a function of ipygrad')}, write a Function of your own, or "
            "compute on x.data (which keeps no history)"
        )
    for option, remedy in INSTEAD.items():
        if option in options:
            raise TypeError(
                f"np.{name_of(numpy_function)} with {option}= has no derivative here: {remedy}"
            )
    return implementation(*inputs, **options)
