"""``python -m jupyter_localcoder.worker.templating``: renders chat templates, and may die of it.

A template is code from a file that somebody else made. What it takes cannot be told from what it says: each
filter and each method of a string can multiply. So it runs in a process of its own, which the system limits:
so much memory more than it begins with, and so many seconds of computing for each rendering. `chat` starts
it, and ends it where the system offers no such limit.

It never sees what a person wrote, but place-holders: see `chat`.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import struct
import sys
from pathlib import Path
from typing import IO, Any

from jinja2 import Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .template_tags import GenerationTag, as_json

MAX_OUTPUT_CHARS = 200_000
MAX_CPU_SECONDS = 2
MAX_MEMORY_BYTES = 128 * 1024 * 1024
"""More than it has when it begins."""
_LENGTH = struct.Struct("<I")


class TemplateRaised(Exception):
    """The template itself raised: it does not take these messages."""


class TooLong(Exception):
    """It writes without end."""


def read_message(pipe: IO[bytes]) -> dict[str, Any] | None:
    """The next message of a pipe; None at its end."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _LENGTH.unpack(head)[0]
    body = pipe.read(size)
    return dict(json.loads(body)) if len(body) == size else None


def write_message(pipe: IO[bytes], message: dict[str, Any]) -> None:
    """Write a message."""
    body = json.dumps(message).encode()
    pipe.write(_LENGTH.pack(len(body)) + body)
    pipe.flush()


class Renderer:
    """Renders, and keeps the template that it rendered last."""

    def __init__(self) -> None:
        self._environment = _environment()
        self._source = ""
        self._template: Template | None = None

    def render(self, source: str, messages: list[dict[str, str]], words: dict[str, str]) -> str:
        """The text of a template; raises what it raises, `TemplateRaised` and `TooLong`."""
        if self._template is None or source != self._source:
            self._template, self._source = self._environment.from_string(source), source
        out: list[str] = []
        size = 0
        for part in self._template.generate(
            messages=messages, add_generation_prompt=True, tools=None, documents=None, **words
        ):
            size += len(part)
            if size > MAX_OUTPUT_CHARS:
                raise TooLong
            out.append(part)
        return "".join(out)


def answer(renderer: Renderer, request: dict[str, Any]) -> dict[str, str]:
    """What is answered to a request: ``text``, or ``failure`` (its kind) and ``what``."""
    try:
        return {"text": renderer.render(request["source"], request["messages"], request["words"])}
    except TemplateRaised as refusal:
        return {"failure": "refused", "what": str(refusal)}
    except TooLong:
        return {"failure": "output", "what": ""}
    except SecurityError as failure:
        return {"failure": "forbidden", "what": str(failure)[:200]}
    except MemoryError:
        return {"failure": "memory", "what": ""}
    except (TemplateError, TypeError, ValueError, AttributeError, RecursionError,
            ArithmeticError, LookupError, NotImplementedError, SyntaxError) as failure:  # fmt: skip
        return {"failure": "broken", "what": type(failure).__name__}


def limit_memory() -> None:
    """Let allocations fail from some memory more on; where the system cannot, `chat` looks itself."""
    if sys.platform != "linux":
        return
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = now + MAX_MEMORY_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > most:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def limit_time(seconds: int) -> None:
    """Be ended by the system after so many more seconds of computing."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    # In whole seconds, of which the running one has begun: one more than is meant at most.
    soon = int(used.ru_utime + used.ru_stime) + seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or soon < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soon, hard))


def main() -> None:
    """Render until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    from . import isolation, limits

    isolation.close_network()
    limits.apply()
    pipe_in, pipe_out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    renderer = Renderer()
    # All that is loaded when it is first needed is there before the limit is drawn.
    renderer.render("{% for m in messages %}{{ m.role|trim }}{% endfor %}", [{"role": "x"}], {})
    datetime.datetime.now().astimezone().strftime("%Y")
    limit_memory()
    while (request := read_message(pipe_in)) is not None:
        limit_time(request["cpu_seconds"])
        given = answer(renderer, request)
        write_message(pipe_out, given)
        if given.get("failure") == "memory":
            return  # What is left of it cannot be told: the next one begins anew.


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, GenerationTag]
    )

    def raise_exception(message: str) -> None:
        raise TemplateRaised(str(message)[:200])

    def strftime_now(form: str) -> str:
        return datetime.datetime.now().astimezone().strftime(str(form)[:100])

    environment.filters["tojson"] = as_json
    environment.globals.update(raise_exception=raise_exception, strftime_now=strftime_now)
    return environment


if __name__ == "__main__":
    main()
