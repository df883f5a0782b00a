"""A real kernel for the notebook that is typed."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType

import msgspec
from jupyter_client.manager import KernelManager

from jupyter_localcoder.context import probes
from jupyter_localcoder.contract.notebook import KernelVariable

_SECONDS = 120.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ATTRIBUTES = (
    "{n: dir(v) for n, v in list(globals().items()) "
    "if not n.startswith('_') and n not in ('In', 'Out', 'exit', 'quit', 'open', 'get_ipython')}"
)


class Kernel:
    """Runs cells one after the other, and tells what the page would learn of it.

    Parameters
    ----------
    folder
        Where it runs: files that the cells read are found there.
    """

    def __init__(self, folder: Path) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(folder), env={**os.environ, "MPLBACKEND": "agg"})
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(_SECONDS)
        probe = probes.of("python")
        self._code, self._expression = probe.code, probe.expression

    def __enter__(self) -> Kernel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(self, source: str) -> bool:
        """Run a cell; whether it came to its end without an exception."""
        reply = self._client.execute_interactive(source, timeout=_SECONDS, output_hook=lambda _: None)
        return bool(reply["content"]["status"] == "ok")

    def error(self, source: str, seconds: float = _SECONDS) -> str | None:
        """Run a cell; None where it came to its end, else the error as a person sees it, without colours.

        Raises
        ------
        TimeoutError
            It has not ended in time; the kernel is still busy with it.
        """
        reply = self._client.execute_interactive(
            source, timeout=seconds, allow_stdin=False, output_hook=lambda _: None
        )
        content = reply["content"]
        if content["status"] == "ok":
            return None
        return _COLOURS.sub("", "\n".join(content.get("traceback", [])) or content.get("ename", "error"))

    def variables(self) -> tuple[KernelVariable, ...]:
        """What the probe of the page tells, by the request that the page sends."""
        told = json.loads(base64.b64decode(self._evaluated(self._expression, self._code)))
        return msgspec.convert(told, tuple[KernelVariable, ...])

    def attributes(self) -> Mapping[str, Collection[str]]:
        """``dir`` of each name: what a suggestion is judged by. No side learns it."""
        told: dict[str, list[str]] = ast.literal_eval(self._evaluated(f"repr({_ATTRIBUTES})"))
        return told

    def _evaluated(self, expression: str, code: str = "pass") -> str:
        reply = self._client.execute_interactive(
            code,
            silent=True,
            store_history=False,
            user_expressions={"told": expression},
            allow_stdin=False,
            timeout=_SECONDS,
            output_hook=lambda _: None,
        )
        result = reply["content"]["user_expressions"]["told"]
        return str(ast.literal_eval(result["data"]["text/plain"]))
