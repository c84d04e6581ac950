"""The wheel alone, as a user gets it: what is in it, and that nothing else is needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import TypeAlias

import pytest

REPOSITORY = Path(__file__).parents[1]
LOWEST = Path(__file__).with_name("lowest.txt")
Done: TypeAlias = subprocess.CompletedProcess[str]
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


def run(folder: Path, *command: str, python: str = sys.executable, path: str = "") -> Done:
    """Run Python in a folder, in which it also keeps its settings; warnings are errors."""
    env = os.environ | {"PYTHONPATH": path, "IPYTHONDIR": str(folder), "HOME": str(folder)}
    return subprocess.run(  # noqa: S603
        [python, "-W", "error", *command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def pip(*command: str) -> Done:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *command],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the working tree."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    built = pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(REPOSITORY))
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("ipygrad-*-py3-none-any.whl")
    return wheel


@pytest.fixture(scope="module", params=["lowest", "newest"])
def python(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Install the wheel, and what it asks for, into an environment of its own.

    The libraries come from the package index: in the lowest versions that are claimed, or those
    that a user gets today.
    """
    constraints = ["--constraint", str(LOWEST)] if request.param == "lowest" else []
    if constraints and sys.version_info >= (3, 14):
        pytest.skip("the lowest versions have no wheels for this Python")
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name != "nt")
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    options = ["--no-compile", "--only-binary", ":all:", *constraints]
    done = pip("--python", str(python), "install", *options, str(wheel))
    if done.returncode != 0:
        if "after connection broken by" in done.stderr:
            pytest.skip("the package index cannot be reached")
        raise AssertionError(done.stdout + done.stderr)
    return python


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


def test_in_an_empty_environment_it_gives_the_magic_and_the_stepper_without_a_warning(
    python: Path, tmp_path: Path
) -> None:
    done = run(tmp_path, "-I", "-c", SEED_CELL, python=str(python))
    assert done.returncode == 0, done.stderr
    file, gradient, bundle = json.loads(done.stdout)
    assert Path(file).is_relative_to(python.parents[1])
    assert gradient == "3.297442541400256"
    assert bundle == ["image/png", "text/html", "text/plain"]
    assert (tmp_path / "page.html").exists()


def test_the_lowest_versions_are_those_that_are_claimed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        asked = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist")
    claimed = {line for line in asked or () if "extra ==" not in line}
    # On a Python for which some have no wheels in that version, the first that has stands there.
    lowest = re.findall(
        r"^(\w+)==([\d.]+?)(?:\.0)?(?:; python_version <.*)?$", LOWEST.read_text(), re.M
    )
    assert {f"{name}>={version}" for name, version in lowest} == claimed


def test_a_type_checker_sees_its_types_from_outside(wheel: Path, tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    (tmp_path / "user.py").write_text(TYPED)
    done = run(tmp_path, "-m", "mypy", "--strict", "user.py", path=str(installed))
    assert "missing library stubs or py.typed marker" not in done.stdout
    assert 'Revealed type is "ipygrad.record.BackwardPass"' in done.stdout
    assert 'expression has type "str", variable has type "int"' in done.stdout
    assert "Found 1 error in 1 file" in done.stdout
