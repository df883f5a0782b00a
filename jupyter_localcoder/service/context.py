"""``context:*``: what a request was answered from, and how a kernel tells what it knows; ``code:place``."""

from __future__ import annotations

import asyncio

from ..context import probes
from ..contract import generation, notebook
from ..generation.inspections import Inspections
from ..text.answers import placed


class ContextOperations:
    """Shows prompts, and hands out the kernels' probes."""

    def __init__(self, inspections: Inspections) -> None:
        self._inspections = inspections

    async def context_inspect(self, request: generation.InspectRequest) -> generation.Inspection:
        """Show what a request was answered from."""
        return self._inspections.find(request.run)

    async def context_probe(self, request: notebook.ProbeRequest) -> notebook.Probe:
        """Say how a kernel is asked what it knows."""
        return await asyncio.to_thread(probes.of, request.language)

    async def code_place(self, request: generation.PlaceRequest) -> generation.Change:
        """Say what becomes of a cell."""
        return await asyncio.to_thread(placed, request)
