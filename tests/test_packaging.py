"""The wheel alone, as a user gets it: what is in it, and that nothing else is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Path(__file__).parents[1]
SEED_CELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "ipygrad")
shell.run_cell(
    "import numpy as np\\nfrom ipygrad import Variable, square, exp", store_history=False
).raise_error()
cell = "%%grad -q -o bp\\nx = Variable(np.array(0.5))\\ny = square(exp(square(x)))"
shell.run_cell(cell).raise_error()
bp = shell.user_ns["bp"]
bp.to_html("page.html")
bundle = bp.bundle(link=True)
assert "DecompressionStream" in bundle["text/html"]
assert bp.widget.payload["title"] == "Backward pass of y"
import ipygrad
print(json.dumps([ipygrad.__file__, repr(shell.user_ns["x"].grad.item()), sorted(bundle)]))
"""
TYPED = """\
from ipygrad import BackwardPass, Variable, backward_pass, square

y = square(Variable(0.5))
bp = backward_pass(y)
reveal_type(bp)
reveal_type(bp[0].label)
step: int = bp[0].label
"""


def run(folder: Path, path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with nothing but the installed wheel in front of the libraries."""
    env = os.environ | {"PYTHONPATH": str(path), "IPYTHONDIR": str(folder), "HOME": str(folder)}
    return subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", *command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def build(command: Sequence[str]) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the working tree."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    build(["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(REPOSITORY)])
    (wheel,) = folder.glob("ipygrad-*-py3-none-any.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel by itself; the libraries that it needs are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    build(["install", "--no-deps", "--no-index", "--target", str(folder), str(wheel)])
    return folder


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    folders = {name.split("/")[0] for name in names}
    assert folders == {"ipygrad", next(f for f in folders if f.endswith(".dist-info"))}
    sources = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "ipygrad").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith("ipygrad/")} == sources
    assert wheel.stat().st_size < 500_000


def test_alone_it_gives_the_magic_and_the_stepper_without_a_warning(
    installed: Path, tmp_path: Path
) -> None:
    done = run(tmp_path, installed, "-c", SEED_CELL)
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stdout
    assert "3.297442541400256" in done.stdout
    assert "text/html" in done.stdout
    assert (tmp_path / "page.html").exists()


def test_a_type_checker_sees_its_types_from_outside(installed: Path, tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(TYPED)
    done = run(tmp_path, installed, "-m", "mypy", "--strict", "user.py")
    assert "missing library stubs or py.typed marker" not in done.stdout
    assert 'Revealed type is "ipygrad.record.BackwardPass"' in done.stdout
    assert 'expression has type "str", variable has type "int"' in done.stdout
    assert "Found 1 error in 1 file" in done.stdout
