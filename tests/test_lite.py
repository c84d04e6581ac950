"""The package where nothing can be started: a stand-in for the Python of JupyterLite.

In the browser no thread and no process starts, and ``multiprocessing`` lacks its compiled part. The
rest of that Python cannot be had here without a download, so this shows what the package does not
use, not that it was tried there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import matplotlib as mpl

if TYPE_CHECKING:
    from pathlib import Path

NOTHING_STARTS = """
import _thread, builtins, os, subprocess, sys

def refuse(*_, **__):
    raise RuntimeError("nothing can be started here")

_thread.start_new_thread = _thread.start_joinable_thread = refuse
subprocess.Popen.__init__ = refuse
for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "popen"):
    setattr(os, name, refuse)
sys.modules["_multiprocessing"] = sys.modules["_posixsubprocess"] = None

# Libraries import these modules and get along without them; the package is not even to ask.
found = builtins.__import__
ABSENT = {"subprocess", "multiprocessing", "concurrent", "socket", "ssl", "ctypes"}

def import_as_there(name, globals=None, locals=None, fromlist=(), level=0):
    asking = (globals or {}).get("__name__", "")
    if asking.partition(".")[0] == "ipygrad":
        uses_threads = name == "threading" and set(fromlist or ("Thread",)) - {"get_ident"}
        if name.partition(".")[0] in ABSENT or uses_threads:
            raise ImportError(f"{asking} imports {name}")
    return found(name, globals, locals, fromlist, level)

builtins.__import__ = import_as_there
"""
SESSION = """
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
shell.run_line_magic("load_ext", "ipygrad")
shell.run_cell("import numpy as np\\nfrom ipygrad import Variable, square, exp").raise_error()
cell = "%%grad -o bp\\nx = Variable(np.array(0.5))\\na = square(x)\\nb = exp(a)\\ny = square(b)"
shell.run_cell(cell).raise_error()
bp = shell.user_ns["bp"]
bundle = bp.bundle(link=True)
assert set(bundle) == {"text/plain", "text/html", "image/png"}
assert bp.bundle("widget") == bp.bundle()
assert bp.widget.model_id
bp.to_html("page.html")
bp.savefig("pass.pdf")
bp.animate("pass.gif", size=(320, 320))
print(shell.user_ns["x"].grad)
"""


def test_it_runs_where_nothing_can_be_started(tmp_path: Path) -> None:
    # Its list of fonts is built once, with a thread.
    env = os.environ | {"IPYTHONDIR": str(tmp_path), "MPLCONFIGDIR": mpl.get_cachedir()}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-"],
        input=NOTHING_STARTS + SESSION,
        cwd=tmp_path,
        env=env | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3.297442541400256"
    assert {file.name for file in tmp_path.iterdir()} >= {"page.html", "pass.pdf", "pass.gif"}
