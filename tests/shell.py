"""A fresh IPython shell, and what a cell left behind in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.utils.capture import capture_output

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

IMPORTS = """\
%load_ext ipygrad
import numpy as np
from ipygrad import Variable, Function, Square, Exp, square, exp, backward_pass
"""
SEED = """\
x = Variable(np.array(0.5))
a = square(x)
b = exp(a)
y = square(b)
"""


@dataclass
class Ran:
    """How a cell ended: its value, its error, and all the text that it printed, without colours."""

    value: Any
    error: BaseException | None
    text: str

    @property
    def is_fine(self) -> bool:
        return self.error is None


class Shell:
    """Runs cells as a user would, and gives access to the user's names."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.ipython = shell
        self.run(IMPORTS)

    def run(self, cell: str) -> Ran:
        with capture_output() as captured:
            result = self.ipython.run_cell(cell, store_history=True)
        text = re.sub(r"\x1b\[[0-9;]*m", "", captured.stdout + captured.stderr)
        error = result.error_in_exec or result.error_before_exec
        return Ran(result.result, error, text)

    def __getitem__(self, name: str) -> Any:
        return self.ipython.user_ns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.ipython.user_ns
