"""A kernel of another language than Python, which it does not speak."""

from __future__ import annotations

import sys
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Toy(Kernel):
    """Says of itself that it is Julia, and does nothing with what it gets."""

    implementation = "toy"
    implementation_version = "0"
    banner = "toy"
    language_info = {"name": "julia", "mimetype": "text/x-julia", "file_extension": ".jl"}

    async def do_execute(  # type: ignore[override]
        self, code: str, silent: bool, *_args: Any, **_options: Any
    ) -> dict[str, Any]:
        if silent:
            print(f"toy kernel: execute silent {code!r}", file=sys.__stderr__, flush=True)
        return {
            "status": "ok",
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": {},
        }


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=Toy)
