"""Run a notebook on a Jupyter server with jupyter_localcoder, and show its answers as they are written.

A server of its own is started, on a free port of this machine, with a random token. The kernel is started
by that server, as JupyterLab would do it, so the magics reach the model through the server. Models,
settings and kernels are your own. At the end, or on Ctrl-C, all of it is stopped.

Exit status: 0 when every cell ran and every magic has an answer; 1 when not; 2 for a wrong command line;
130 after Ctrl-C. Cells with the tag `raises-exception` may fail.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from jupyter_localcoder.magics.history import COMMANDS
from jupyter_localcoder.text.plain_text import plain

START_SECONDS = 60.0
DEAD_SECONDS = 10.0
"""A kernel without a heartbeat for so long has ended."""
STOP_SECONDS = 20.0
WIDTH = 80
INDENT = 8
HEAD_LINES = 5

_ASKS_MODEL = re.compile(rf"\s*%%?(?:{'|'.join(COMMANDS)})\b")


class Failed(Exception):
    """Why the notebook did not run to its end, for the person who started it."""


# The server


class Server:
    """A Jupyter server with the extension.

    Parameters
    ----------
    folder
        Empty folder for what belongs to this run alone: runtime files, token, log.
    root
        Folder that the server serves and in which the kernel works.
    model
        Id of the model that answers; None takes the one of the settings.

    """

    def __init__(self, folder: Path, root: Path, model: str | None = None) -> None:
        self.runtime = folder / "runtime"
        self.url = ""
        self._token = ""
        self._root = root
        self._log = folder / "server.log"
        self._token_file = folder / "token"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(self.runtime)}
        self._environment.pop("JUPYTER_TOKEN", None)
        self._environment["JUPYTER_TOKEN_FILE"] = str(self._token_file)
        if model:
            self._environment |= {"LOCALCODER_MODEL": model, "LOCALCODER_GENERAL_MODEL": model}

    def start(self) -> None:
        """Start it, and wait until the extension has told where it is.

        Raises
        ------
        Failed
            It does not come up, or comes up without the extension.

        """
        self.runtime.mkdir(mode=0o700)
        self._token_file.touch(mode=0o600)
        self._token_file.write_text(secrets.token_hex(24))
        options = [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={_free_port()}",
            f"--ServerApp.root_dir={self._root}",
            "--ServerApp.open_browser=False",
            "--ServerApp.certfile=",
            "--ServerApp.jpserver_extensions=jupyter_localcoder=True",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--allow-root")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_server", *options],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this script, which then stops the server
            )
        # The extension writes its file last, once the kernels' environment is complete.
        self._wait_for(self.runtime / f"localcoder-{self._process.pid}.json")
        told = json.loads((self.runtime / f"jpserver-{self._process.pid}.json").read_text("utf-8"))
        self.url, self._token = str(told["url"]), str(told["token"])

    def start_kernel(self, name: str) -> Path:
        """Start a kernel, and give its connection file."""
        kernel = self.call("POST", "api/kernels", {"name": name})
        return self.runtime / f"kernel-{kernel['id']}.json"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call a route of the server.

        Raises
        ------
        Failed
            It answered with an error, or not at all.

        """
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=START_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as failure:
            detail = failure.read().decode("utf-8", "replace")[:500]
            raise Failed(f"The Jupyter server refused {method} {path} ({failure.code}): {detail}") from None
        except OSError as failure:
            raise Failed(f"The Jupyter server does not answer: {failure}{self._last_words()}") from None

    def stop(self) -> None:
        """End the server, its kernels and the worker."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            with contextlib.suppress(Failed):
                if self.url and process.poll() is None:
                    self.call("POST", "api/shutdown")
            process.wait(STOP_SECONDS if self.url else 0)
        except subprocess.TimeoutExpired:
            pass
        finally:  # also where somebody is out of patience and presses Ctrl-C again
            process.kill()
            process.wait()

    def _wait_for(self, file: Path) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not file.exists():
            if self._process.poll() is not None:
                raise Failed(f"The Jupyter server ended by itself.{self._last_words()}")
            if time.monotonic() > deadline:
                raise Failed(
                    f"The Jupyter server did not start with jupyter_localcoder within "
                    f"{START_SECONDS:.0f} seconds.{self._last_words()}"
                )
            time.sleep(0.05)

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines() if self._log.exists() else []
        return "\nThe end of its log:\n" + "\n".join(f"  {line}" for line in lines[-15:]) if lines else ""


@contextlib.contextmanager
def running_server(root: Path, model: str | None) -> Iterator[Server]:
    """Start a server in a folder of its own; stop it and remove the folder."""
    with tempfile.TemporaryDirectory(prefix="localcoder-run-") as folder:
        server = Server(Path(folder), root, model)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# What is shown


class Page:
    """Writes text as it comes: indented, wrapped at the spaces, no line longer than the page."""

    def __init__(self, out: TextIO, width: int = WIDTH, indent: int = INDENT) -> None:
        self._out = out
        self._width = width
        self._margin = " " * indent
        self._column = 0
        self._gap = ""
        self._word = ""

    def write(self, text: str) -> None:
        """Write more; a word is held back until it is complete."""
        for part in re.findall(r"\S+|\n|[^\S\n]+", text):
            if not part.isspace():
                self._word += part
                continue
            self._put_word()
            if part == "\n":
                self._new_line()
            else:
                self._gap += part.expandtabs(4)
        self._out.flush()

    def end_block(self) -> None:
        """Write what is held back, and end the line."""
        self._put_word()
        if self._column:
            self._new_line()
        self._out.flush()

    def line(self, text: str = "", *, margin: bool = True) -> None:
        """Write one line as it is."""
        self.end_block()
        print(f"{self._margin if margin and text else ''}{text}", file=self._out, flush=True)

    def _put_word(self) -> None:
        word, self._word = self._word, ""
        while word:
            start = self._column or len(self._margin)
            room = self._width - start - len(self._gap)
            if room < len(word) and self._column:
                self._new_line()
                continue
            room = max(room, 1)
            lead = self._gap if self._column else self._margin + self._gap
            self._out.write(lead + word[:room])
            self._column = start + len(self._gap) + len(word[:room])
            self._gap, word = "", word[room:]

    def _new_line(self) -> None:
        self._out.write("\n")
        self._column = 0
        self._gap = ""


class Transcript:
    """Shows the cells of a notebook and what their kernel answers, while it answers."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._in_block = False
        self._display = ""
        self._shown = ""
        self._latest = ""

    def heading(self, markdown: str) -> None:
        """Show the headings of a Markdown cell."""
        for line in markdown.splitlines():
            if re.match(r"#{1,6}\s", line):
                self._page.line()
                self._page.line(line.lstrip("#").strip(), margin=False)

    def begin(self, number: int, source: str) -> None:
        """Show the beginning of a cell."""
        lines = source.rstrip().splitlines()
        self._page.line()
        for at, line in enumerate(lines[:HEAD_LINES]):
            mark = f"[{number}]" if at == 0 else ""
            text = f"{mark:<{INDENT}}{line.expandtabs(4)}".rstrip()
            self._page.line(text if len(text) <= WIDTH else text[: WIDTH - 1] + "…", margin=False)
        if len(lines) > HEAD_LINES:
            self._page.line(f"… {len(lines) - HEAD_LINES} more")

    def show(self, message: dict[str, Any]) -> None:
        """Show a message of the kernel."""
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            self._close_display()
            self._write(plain(content["text"]))
        elif kind in ("display_data", "execute_result", "update_display_data"):
            self._show_display(kind, content)
        elif kind == "error":
            self._close_display()
            trace = content["traceback"]
            said = trace[0] if len(trace) == 1 else f"{content['ename']}: {content['evalue']}"
            self._write(plain(said))
            self._page.end_block()

    def end(self, seconds: float) -> None:
        """Show what is missing, and how long the cell took."""
        self._close_display()
        self._in_block = False
        self._page.line(f"({seconds:.1f} s)")

    def _show_display(self, kind: str, content: dict[str, Any]) -> None:
        text = plain(str(content.get("data", {}).get("text/plain", "")))
        name = str((content.get("transient") or {}).get("display_id", ""))
        if kind != "update_display_data" or name != self._display:
            self._close_display()
            self._display = name
        self._latest = "" if text == "…" else text  # the sign that an answer will come
        if self._latest.startswith(self._shown):
            self._write(self._latest[len(self._shown) :])
            self._shown = self._latest

    def _close_display(self) -> None:
        if self._latest != self._shown:  # it was changed, and not only added to
            self._page.end_block()
            self._write(self._latest)
        if self._latest:
            self._page.end_block()
            self._in_block = False
        self._display = self._shown = self._latest = ""

    def _write(self, text: str) -> None:
        """Write output, with a blank line before the first of a block."""
        if text and not self._in_block:
            self._page.line()
            self._in_block = True
        self._page.write(text)


# The notebook


class WatchedNotebook(NotebookClient):
    """nbclient, on a kernel that a server has started, with somebody who watches."""

    def __init__(self, notebook: Any, transcript: Transcript, **kwargs: Any) -> None:
        super().__init__(notebook, **kwargs)
        self._transcript = transcript

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Show a message before it goes into the notebook."""
        self._transcript.show(msg)
        return super().process_message(msg, cell, cell_index)

    async def run(self, connection_file: Path) -> list[str]:
        """Run all cells; give a sentence for each magic without an answer.

        Raises
        ------
        Failed
            A cell failed, took too long, or ended the kernel.

        """
        self.kc = self._attached = AsyncKernelClient(connection_file=str(connection_file))
        self._attached.load_connection_file()
        # By default a kernel is dead after one second without a heartbeat, which a busy machine exceeds.
        heartbeat = self._attached.hb_channel
        heartbeat.time_to_dead = START_SECONDS
        self._attached.start_channels()
        try:
            await self._attached.wait_for_ready(timeout=START_SECONDS)
            heartbeat.time_to_dead = DEAD_SECONDS
            return await self._run_cells()
        except RuntimeError as failure:
            raise Failed(f"The kernel does not answer: {failure}") from None
        finally:
            self._attached.stop_channels()

    async def _run_cells(self) -> list[str]:
        empty: list[str] = []
        number = 0
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type == "markdown":
                self._transcript.heading(cell.source)
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            number += 1
            await self._run_cell(number, index, cell)
            if lacks_answer(cell):
                empty.append(f"Cell [{number}] asked the model and has no answer.")
        return empty

    async def _run_cell(self, number: int, index: int, cell: Any) -> None:
        self._transcript.begin(number, cell.source)
        started = time.monotonic()
        try:
            await self.async_execute_cell(cell, index)
        except CellExecutionError as failure:
            raise Failed(f"Cell [{number}] failed: {plain(failure.evalue or failure.ename)}") from None
        except CellTimeoutError:
            raise Failed(
                f"Cell [{number}] took longer than {self.timeout} seconds; --timeout allows more."
            ) from None
        except DeadKernelError:
            if await self._attached.is_alive():  # nbclient says the same where it was cancelled, by Ctrl-C
                raise asyncio.CancelledError from None
            raise Failed(f"The kernel ended in cell [{number}].") from None
        finally:
            self._transcript.end(time.monotonic() - started)


def lacks_answer(cell: Any) -> bool:
    """Whether a cell asks the model, and got no text."""
    if not _ASKS_MODEL.match(cell.source) or any(o.output_type == "error" for o in cell.outputs):
        return False
    answers = [o.data.get("text/plain", "") for o in cell.outputs if "localcoder" in o.get("metadata", {})]
    return not answers or not all(text.strip(" …\n") for text in answers)


# The command line


def main(arguments: list[str] | None = None) -> int:
    """Run it; give the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends this script ends the server too
    try:
        notebook = _read(options.notebook)
        _check_output(options.output)
        return _run(notebook, options)
    except Failed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Run a notebook on a Jupyter server with jupyter_localcoder, and show its answers.",
        epilog="Cells with the tag `raises-exception` may fail. Ctrl-C stops everything.",
    )
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK", help="the notebook; it is not changed")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the executed notebook to FILE")
    parser.add_argument("--model", metavar="ID", help="model that answers; default: that of your settings")
    parser.add_argument(
        "--timeout", type=_seconds, default=600, metavar="S", help="longest time for one cell (default: 600)"
    )
    return parser


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("it must be a whole number of seconds, at least 1")
    return int(text)


def _read(path: Path) -> Any:
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except OSError as failure:
        raise Failed(f"{path} cannot be read: {failure.strerror}.") from None
    except Exception as failure:  # nbformat raises its own, json's and jsonschema's
        raise Failed(f"{path} is not a notebook: {str(failure).splitlines()[0][:200]}") from None
    return notebook


def _check_output(path: Path | None) -> None:
    if path is not None and not path.absolute().parent.is_dir():
        raise Failed(f"{path} cannot be written: there is no folder {path.parent}.")


def _run(notebook: Any, options: argparse.Namespace) -> int:
    kernel = notebook.metadata.get("kernelspec", {}).get("name", "python3")
    page = Page(sys.stdout, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))
    page.line("Starting a Jupyter server …", margin=False)
    started = time.monotonic()
    with running_server(options.notebook.absolute().parent, options.model) as server:
        connection_file = server.start_kernel(kernel)
        page.line(f"{server.url} runs {options.notebook.name}.", margin=False)
        client = WatchedNotebook(notebook, Transcript(page), timeout=options.timeout)
        try:
            empty = asyncio.run(client.run(connection_file))
        finally:
            page.end_block()
            _write(notebook, options.output)
    page.line()
    if empty:
        raise Failed("\n".join(empty))
    page.line(f"All cells ran, in {time.monotonic() - started:.0f} seconds.", margin=False)
    return 0


def _write(notebook: Any, path: Path | None) -> None:
    if path is None:
        return
    try:
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    except OSError as failure:
        raise Failed(f"{path} cannot be written: {failure.strerror}.") from None


if __name__ == "__main__":
    sys.exit(main())
