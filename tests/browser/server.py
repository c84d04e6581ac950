"""A real Jupyter server in folders of its own, for the length of a test session."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
STOP_SECONDS = 30.0
LEAK_SECONDS = 1800
"""After this long unused a server stops by itself: a test run that is killed cannot stop it."""

QUIET = {"fetchNews": "false", "checkForUpdates": False}


class JupyterServer:
    """One server process, listening on 127.0.0.1 with a token.

    Its kernels run the interpreter that runs the tests. Settings, data, kernels' connection files
    and the home folder lie under `folder`, so that nothing of the user's is read or written but
    what programs keep in the folder for caches.

    Parameters
    ----------
    module
        ``"jupyterlab"`` or ``"notebook"``: what ``python -m`` starts.
    app
        The name of its configuration class, ``"LabApp"`` or ``"JupyterNotebookApp"``.
    folder
        An empty folder. Notebooks live in ``notebooks`` below it.

    Attributes
    ----------
    url
        Address without a slash at its end.
    root
        Folder of the notebooks.
    """

    def __init__(self, module: str, app: str, folder: Path) -> None:
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.root = folder / "notebooks"
        self.root.mkdir()
        self._settings = folder / "settings"
        self._log = folder / "server.log"
        self.env = isolated(folder)
        self.reset_settings()
        _write_kernelspec(folder / "data" / "kernels" / "python3")
        command = [
            *(sys.executable, "-m", module, "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--ServerApp.shutdown_no_activity_timeout={LEAK_SECONDS}",
            f"--MappingKernelManager.cull_idle_timeout={LEAK_SECONDS}",
            f"--IdentityProvider.token={self.token}",
            f"--{app}.expose_app_in_browser=True",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, env=self.env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait_until_it_answers()

    def request(self, method: str, path: str) -> Any:
        """Ask the server's REST API, and return what its JSON answer holds (None when it is empty).

        Raises
        ------
        OSError
            If the server does not answer.
        RuntimeError
            If it refuses.
        """
        connection = HTTPConnection("127.0.0.1", self.port, timeout=STOP_SECONDS)
        try:
            connection.request(method, path, headers={"Authorization": f"token {self.token}"})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {response.reason}")
        return json.loads(body) if body else None

    def end_sessions(self) -> None:
        """Shut down every kernel."""
        for session in self.request("GET", "/api/sessions"):
            self.request("DELETE", f"/api/sessions/{session['id']}")

    def reset_settings(self) -> None:
        """Go back to the settings of a new user, except that nothing asks for news."""
        shutil.rmtree(self._settings, ignore_errors=True)
        extension = self._settings / "@jupyterlab" / "apputils-extension"
        extension.mkdir(parents=True)
        (extension / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))

    def trust(self, path: Path) -> None:
        """Sign a notebook as its author would, with ``jupyter trust``."""
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "nbformat.sign", path],
            env=self.env,
            capture_output=True,
            check=True,
        )

    def stop(self) -> None:
        """Stop the server and its kernels, and wait until they have gone."""
        try:
            self.request("POST", "/api/shutdown")
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()

    def _wait_until_it_answers(self) -> None:
        for _ in range(int(START_SECONDS / 0.1)):
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
            else:
                break
            try:
                self.request("GET", "/api/status")
            except OSError:
                continue
            return
        self._process.kill()
        self._process.wait()
        raise RuntimeError(f"{self.url} did not start. Its log:\n{self._log.read_text()}")


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def isolated(folder: Path) -> dict[str, str]:
    """Return an environment whose settings and home lie under a folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    # matplotlib would spend seconds on its list of fonts, and say so in the cell.
    env.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    env |= {
        "HOME": str(folder / "home"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "no",
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    (folder / "home").mkdir()
    return env


def _write_kernelspec(folder: Path) -> None:
    folder.mkdir(parents=True)
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
