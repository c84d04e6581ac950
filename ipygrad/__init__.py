"""Step back through backpropagation, one function at a time, under a notebook cell.

In a notebook: ``%load_ext ipygrad``, then ``%%grad`` on top of a cell.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from ipygrad.engine import functions
from ipygrad.engine.core import Function, Variable
from ipygrad.engine.errors import BackwardError
from ipygrad.engine.functions import *  # noqa: F403 - exactly what its __all__ lists
from ipygrad.engine.mode import no_grad
from ipygrad.engine.testing import check_grads, numerical_jacobian

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ipygrad.capture.adapters import register_engine
    from ipygrad.explain.local import LocalDerivative
    from ipygrad.passes import BackwardPasses
    from ipygrad.record import BackwardPass, BackwardStep, backward_pass, local_derivative
    from ipygrad.show.plot import plot_local_derivative
    from ipygrad.show.widget import BackwardWidget

__version__ = "0.1.0"

# Loaded when first asked for: recording brings IPython, pictures matplotlib, the widget anywidget.
_LAZY = {
    "BackwardPass": "ipygrad.record",
    "BackwardPasses": "ipygrad.passes",
    "BackwardStep": "ipygrad.record",
    "BackwardWidget": "ipygrad.show.widget",
    "LocalDerivative": "ipygrad.explain.local",
    "backward_pass": "ipygrad.record",
    "local_derivative": "ipygrad.record",
    "plot_local_derivative": "ipygrad.show.plot",
    "register_engine": "ipygrad.capture.adapters",
}

__all__ = [
    "BackwardError",
    "BackwardPass",
    "BackwardPasses",
    "BackwardStep",
    "BackwardWidget",
    "Function",
    "LocalDerivative",
    "Variable",
    "backward_pass",
    "check_grads",
    "functions",
    "local_derivative",
    "no_grad",
    "numerical_jacobian",
    "plot_local_derivative",
    "register_engine",
]
__all__ += functions.__all__
# `from ipygrad import *` must not put other functions in the place of Python's sum, max, min, abs.
__all__ = [name for name in __all__ if not hasattr(builtins, name)]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ipygrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Make ``%%grad`` and ``%grad`` known; called by ``%load_ext ipygrad``."""
    from ipygrad import magic

    magic.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Forget the magics; called by ``%unload_ext ipygrad``."""
    from ipygrad import magic

    magic.unload(shell)
