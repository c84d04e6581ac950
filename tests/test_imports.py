"""The rooms of the package import in one direction only, and heavy libraries only when needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "ipygrad"
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# A file or room may import what stands in its row, and what those may import in their turn. The
# longest name counts: "capture.observe" has its own row, "capture.names" falls under "capture".
ROOMS = {
    "engine.arrays": [],
    "engine.dispatch": [],
    "engine.errors": [],
    "engine.mode": [],
    "engine.methods": ["engine.dispatch"],
    "engine.variable": ["engine.arrays", "engine.errors", "engine.methods", "engine.mode"],
    "engine.core": ["engine.variable"],
    "engine.contributions": ["engine.core"],
    "engine.reverse": ["engine.contributions"],
    "engine.functions": ["engine.core", "engine.functions"],
    "engine.testing": ["engine.core"],
    "engine": ["engine"],
    "capture.stack": [],
    "capture.loops": [],
    "capture.observe": ["capture.stack", "capture.loops"],
    "capture.evaluate": ["capture.observe"],
    "capture": ["capture", "engine"],
    "explain": ["explain", "capture"],
    "show": [
        "show.layout",
        "show.arrange",
        "show.layering",
        "show.ranks",
        "show.coordinates",
        "show.labels",
        "show.sizes",
        "capture",
    ],
    "show.figures": ["show.layout", "show.sizes", "explain"],
    "show.view": ["engine"],
    "show.curve": ["show.figures", "show.view"],
    "show.heatmap": ["show.figures"],
    "show.panels": ["show.curve", "show.heatmap"],
    "show.plot": ["show.panels"],
    "show.overview": ["capture"],
    "show.still": ["show.plot", "show.overview"],
    "show.knobs": ["capture"],
    "show.room": ["show.sizes"],
    "show.folding": ["capture"],
    "show.scenes": ["show.arrange", "show.folding", "show.layering", "show.sizes", "capture"],
    "show.states": ["explain"],
    "show.rows": ["show.sizes", "explain"],
    "show.steps": ["explain"],
    "show.code": ["capture"],
    "show.elements": ["explain"],
    "show.forward": ["show.room", "show.steps", "explain"],
    "show.chains": ["show.steps", "capture"],
    "show.payload": [
        *(
            "show.chains",
            "show.code",
            "show.elements",
            "show.forward",
            "show.knobs",
            "show.layout",
            "show.room",
            "show.rows",
            "show.scenes",
            "show.states",
        ),
        *("show.steps", "explain"),
    ],
    "show.html": ["show.payload", "show.plot", "show.front_end"],
    "show.page": ["show.html"],
    "show.front_end": [],
    "show.widget": ["show.payload", "show.plot", "show.front_end"],
    "show.tables": ["show.rows"],
    "show.document": ["show.payload", "show.mathml", "show.plot_data"],
    "show.entries": [],
    "show.mathml": ["show.entries", "explain"],
    "show.plot_data": ["show.entries", "explain"],
    "show.restore_graph": ["show.mathml"],
    "show.restore": ["show.document", "show.restore_graph"],
    "show.terminal": ["show.tables"],
    "show.files": [],
    "show.host": [],
    "show.progress": ["show.host"],
    "show.animation": ["show.files", "show.still", "show.tables"],
    "live": ["show"],
    "pages": ["show"],
    "record": ["live", "pages"],
    "passes": ["record"],
    "magic": ["magic", "passes"],
    "__main__": ["magic"],
    "__init__": ["__main__"],
}
LIBRARIES = {
    "numpy": ["engine", "capture", "explain", "show", "record", "passes", "magic.expectations"],
    "IPython": ["capture", "show.progress", "magic", "__main__"],
    "executing": ["capture.observe"],
    "matplotlib": [
        *("show.figures", "show.curve", "show.heatmap", "show.plot", "show.still"),
        "show.animation",
    ],
    "dezero": ["capture.adapters.dezero"],
    "torch": [
        "capture.adapters.torch",
        "capture.adapters.torch_again",
        "capture.adapters.torch_calls",
    ],
    "PIL": ["show.still", "show.animation"],
    "rich": ["show.terminal"],
    "tqdm": ["show.progress"],
    "pandas": ["show.tables"],
    "anywidget": ["show.widget"],
    "ipywidgets": ["passes", "show.widget", "show.progress"],
    "traitlets": ["show.widget", "magic"],
}
# Imports inside functions: only what would make a start slow, and only by these.
LAZY = {
    "__init__": ["magic", "importlib.import_module"],
    "capture.adapters": ["importlib.import_module"],
    "live": ["show.widget"],
    "record": ["show.plot", "show.still", "show.html", "show.widget", "show.animation"],
    "passes": ["show.still", "ipywidgets"],
    "magic": ["show.plot", "show.still", "show.html", "show.widget"],
    "show.plot": ["matplotlib"],
    "show.still": ["matplotlib"],
    "show.tables": ["pandas"],
    "show.progress": ["tqdm", "IPython", "ipywidgets"],
    "show.terminal": ["rich"],
}


class Import(NamedTuple):
    """One import of a file.

    Attributes
    ----------
    line
        Where it stands.
    name
        The module; one of ours without the package's name.
    ours
        Whether it is one of ours.
    lazy
        Whether it stands inside a function.
    """

    line: int
    name: str
    ours: bool
    lazy: bool


def is_within(name: str, rooms: list[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def row_of(file: str) -> str:
    return max((row for row in ROOMS if is_within(file, [row])), key=len)


def within_reach(row: str) -> list[str]:
    reach: list[str] = []
    rows = [row]
    while rows:
        for room in ROOMS[rows.pop()]:
            if room not in reach:
                reach.append(room)
                rows += [row_of(room), *(row for row in ROOMS if is_within(row, [room]))]
    return reach


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(node: ast.AST, *, lazy: bool = False) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield named(node.lineno, alias.name, lazy=lazy)
    elif isinstance(node, ast.ImportFrom):
        parent = "." * node.level + (node.module or "")
        for alias in node.names:
            yield named(node.lineno, f"{parent}.{alias.name}", lazy=lazy)
    elif not is_for_types(node):
        in_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            yield from imports(child, lazy=lazy or in_function)


def named(line: int, name: str, *, lazy: bool) -> Import:
    library, _, inner = name.partition(".")
    if library != "ipygrad":
        return Import(line, name, ours=False, lazy=lazy)
    while inner and inner not in FILES:  # the last part may be a name in a module
        inner = inner.rpartition(".")[0]
    return Import(line, inner or "__init__", ours=True, lazy=lazy)


def offences(file: str, source: str) -> list[str]:
    """Return what the imports of one file do against the tables, a sentence each."""
    found = []
    for line, name, ours, lazy in imports(ast.parse(source)):
        library = name.partition(".")[0]
        if ours:
            allowed = is_within(name, within_reach(row_of(file)))
        elif is_within(name, ["importlib.import_module"]) or name == "importlib":
            allowed = lazy
        else:
            allowed = library in sys.stdlib_module_names
            allowed |= is_within(file, LIBRARIES.get(library, []))
        if not allowed:
            found.append(f"{file}, line {line}: may not import {name}")
        elif lazy and not is_within(name, LAZY.get(file, [])):
            found.append(f"{file}, line {line}: imports {name} inside a function")
    return found


def loaded_after(code: str, modules: list[str], folder: Path) -> list[str]:
    """Return which of the modules a fresh interpreter has loaded after running the code."""
    report = f"print(json.dumps([name for name in {modules} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-"],
        input=f"{code}\nimport json, sys\n{report}",
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    loaded: list[str] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize("file", FILES)
def test_files_import_as_the_tables_say(file: str) -> None:
    assert offences(file, FILES[file].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("engine.core", "from ipygrad.engine.functions import exp"),
        ("engine.functions.shape", "import scipy"),
        ("engine.core", "from ipygrad import functions"),
        ("engine.core", "from . import functions"),
        ("engine.core", "import matplotlib.pyplot"),
        ("capture.observe", "def f():\n    import ipygrad.engine.core"),
        ("capture.evaluate", "from ipygrad.capture import graph"),
        ("explain.local", "from ipygrad.show.layout import lay_out"),
        ("explain.local", "def f():\n    import math"),
        ("show.layout", "from ipygrad.show.payload import make_payload"),
        ("show.payload", "import anywidget"),
        ("record", "if True:\n    import matplotlib"),
        ("record", "import importlib"),
        ("record", "from ipygrad.magic import load"),
    ],
)
def test_an_import_against_the_tables_is_found(file: str, source: str) -> None:
    assert len(offences(file, source)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("engine.core", "if TYPE_CHECKING:\n    from ipygrad.record import BackwardPass"),
        ("capture.graph", "from ipygrad.engine.core import Variable"),
        ("explain.local", "from ipygrad.engine.core import Variable"),
        ("show.plot", "def f():\n    from matplotlib.figure import Figure"),
        ("record", "def f():\n    from ipygrad.show.plot import StepPainter"),
    ],
)
def test_an_import_as_the_tables_say_is_let_pass(file: str, source: str) -> None:
    assert offences(file, source) == []


def test_importing_the_package_brings_no_interface(tmp_path: Path) -> None:
    heavy = ["IPython", "ipywidgets", "anywidget", "matplotlib"]
    assert loaded_after("import ipygrad", heavy, tmp_path) == []


def test_loading_the_extension_brings_neither_pictures_nor_widgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    code = """
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_line_magic("load_ext", "ipygrad")
"""
    assert loaded_after(code, ["ipygrad.magic", "matplotlib", "anywidget"], tmp_path) == [
        "ipygrad.magic"
    ]
