"""``context:*``: what a request was answered from, and how a kernel tells what it knows."""

from __future__ import annotations

from ..contract import generation, notebook
from ..errors import RunNotFound


class Context:
    """Shows prompts, and hands out the kernels' probes."""

    async def context_inspect(self, request: generation.InspectRequest) -> generation.Inspection:
        """Show what a request was answered from."""
        raise RunNotFound(
            f"Nothing is kept of {request.run or 'an earlier request'}.",
            recovery="Ask for a completion or run a command, and look again.",
        )

    async def context_probe(self, _request: notebook.ProbeRequest) -> notebook.Probe:
        """Say how a kernel is asked what it knows."""
        return notebook.Probe(code="", expression="")
