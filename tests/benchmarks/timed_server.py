"""A Jupyter server that prints how long each step of the extension's start took: ``python -m …``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_server.extension.manager import ExtensionManager
from jupyter_server.serverapp import main

MARK = "localcoder-start-ms "
_NAME = "jupyter_localcoder"


class Stopwatch:
    """Milliseconds of each step."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}

    @contextmanager
    def step(self, step: str, name: str) -> Iterator[None]:
        """Count what happens inside, where it is about our extension."""
        begin = time.perf_counter()
        yield
        if name == _NAME:
            self.times[step] = (time.perf_counter() - begin) * 1000


def measure(watch: Stopwatch) -> None:
    """Put the watch around the four steps that a server takes with each extension."""
    add, link = ExtensionManager.add_extension, ExtensionManager.link_extension
    load, start = ExtensionManager.load_extension, ExtensionManager.start_extension

    def add_(self: ExtensionManager, extension_name: str, enabled: bool = False) -> Any:
        with watch.step("import", extension_name):
            return add(self, extension_name, enabled=enabled)

    def link_(self: ExtensionManager, name: str) -> None:
        with watch.step("link", name):
            link(self, name)

    def load_(self: ExtensionManager, name: str) -> None:
        with watch.step("load", name):
            load(self, name)

    async def start_(self: ExtensionManager, name: str) -> None:
        with watch.step("start", name):
            await start(self, name)
        if name == _NAME:
            print(MARK + json.dumps(watch.times), flush=True)

    ExtensionManager.add_extension = add_  # type: ignore[method-assign]
    ExtensionManager.link_extension = link_  # type: ignore[method-assign]
    ExtensionManager.load_extension = load_  # type: ignore[method-assign]
    ExtensionManager.start_extension = start_  # type: ignore[method-assign]


if __name__ == "__main__":
    measure(Stopwatch())
    main()
