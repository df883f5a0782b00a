"""Chat templates out of a GGUF, rendered so that neither they nor the messages can do harm.

A template is code from a file that somebody else made: it runs in a sandbox, in a process of its own whose
memory and time are limited (`templating`). A message is text from a person or a notebook: it never passes
through the template. The template is rendered with place-holders instead of the messages, and the result
is cut at them, so that ``<|im_start|>`` in a message is tokenised as plain text while the one of the
template is a mark.

So what comes out depends on the roles alone, and is remembered: the same command needs no rendering twice.
"""

from __future__ import annotations

import contextlib
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil

from ..contract.wire import PromptTurn
from ..errors import BackendUnavailable, InvalidArgument, InvalidModel
from .templating import MAX_CPU_SECONDS, MAX_MEMORY_BYTES, read_message, write_message

MAX_TEMPLATE_CHARS = 200_000
MAX_WAIT_SECONDS = 20.0
"""For a machine that has no time for the renderer; what a template may compute is limited in seconds of
computing."""
_NO_THINKING: Mapping[str, Any] = {"enable_thinking": False, "thinking": False}
"""The variables of Qwen, GLM and SmolLM, and of DeepSeek and Granite."""
_MOST_KNOWN = 64
_LOOK_SECONDS = 0.02
"""Where the system sets no limits to a process, it is looked at so often."""

_SIGKILL, _SIGXCPU = 9, getattr(signal, "SIGXCPU", 0)

_CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SENTENCES = {
    "forbidden": "was stopped: {what}",
    "output": "writes without end",
    "memory": "takes too much memory",
    "time": "takes too long",
    "ended": "ended the process that renders it",
    "broken": "is broken: {what}",
}
_WAY_OUT = (
    "Its file may be damaged or malicious: get it from another source, or use another model for commands "
    "and chat. Completion while typing does not need the template."
)
_BUILTIN = "Or set `Tuning.builtin_chat_format` to use another chat format that this model knows."


class ChatTemplate:
    """The chat template of one model.

    Parameters
    ----------
    source
        Jinja source; empty takes ChatML where ``has_chatml`` says that the model knows its marks.
    bos, eos
        Spelling of the tokens that begin and end a text.
    renderer
        What renders, where it is there already.
    """

    def __init__(
        self,
        source: str,
        *,
        bos: str = "",
        eos: str = "",
        has_chatml: bool = False,
        renderer: RendererProcess | None = None,
    ) -> None:
        if not source and has_chatml:
            source = _CHATML
        if len(source) > MAX_TEMPLATE_CHARS:
            raise InvalidModel("The chat template of this model exceeds the size limit.")
        self._source = source
        self._has_chatml = has_chatml
        self._words = {"bos_token": bos, "eos_token": eos}
        self.renderer = renderer
        self._nonce = secrets.token_hex(8)
        self._known: dict[tuple[tuple[str, ...], bool], str] = {}
        self._condemned: InvalidModel | None = None

    @property
    def usable(self) -> bool:
        """Whether this model can hold a conversation."""
        return bool(self._source)

    def prepare(self) -> None:
        """Start what renders, so that it is there when it is needed."""
        if self.usable and self.renderer is None:
            self.renderer = RendererProcess()

    def render(self, turns: Sequence[PromptTurn], *, thinking: bool = True) -> list[tuple[str, bool]]:
        """Text of the whole prompt in pieces: (text, whether it comes from the template).

        Parameters
        ----------
        thinking
            False asks the template to have the model answer without reasoning, by the variables that some
            templates have for it.

        Raises
        ------
        InvalidModel
            The template is broken, does what it must not, or takes too much.
        InvalidArgument
            The model has no template, or its template does not take these turns.
        BackendUnavailable
            The process that renders could not be started, or the machine gave it no time.
        """
        if not self.usable:
            raise InvalidArgument(
                "This model has no chat template: it can complete code, but cannot follow instructions.",
                recovery="Choose another model for commands and chat.",
            )
        try:
            return self._render_once(turns, thinking)
        except InvalidArgument:
            folded = _without_system(turns)
            if folded == list(turns):
                raise
            return self._render_once(folded, thinking)

    def _render_once(self, turns: Sequence[PromptTurn], thinking: bool) -> list[tuple[str, bool]]:
        text = self._text(tuple(turn.role for turn in turns), thinking)
        parts = re.split(rf"PLACE{self._nonce}X(\d+)X", text)
        seen = {int(number) for number in parts[1::2]}
        if seen != set(range(len(turns))):
            raise InvalidArgument("The chat template of this model leaves a message out.")
        pieces = [
            (turns[int(part)].content, False) if i % 2 else (part, True) for i, part in enumerate(parts)
        ]
        return [(piece, marks) for piece, marks in pieces if piece]

    def _text(self, roles: tuple[str, ...], thinking: bool) -> str:
        """What the template makes of messages of these roles, rendered or remembered."""
        known = self._known.pop((roles, thinking), None)
        if known is None:
            known = self._run(roles, {} if thinking else _NO_THINKING)
        # What tells the time says something else each time.
        if "strftime_now" not in self._source:
            self._known[roles, thinking] = known
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return known

    def _run(self, roles: tuple[str, ...], words: Mapping[str, Any]) -> str:
        if self._condemned is not None:
            raise self._condemned
        self.prepare()
        assert self.renderer is not None  # noqa: S101 - it is usable
        messages = [{"role": role, "content": f"PLACE{self._nonce}X{i}X"} for i, role in enumerate(roles)]
        given = self.renderer.ask(
            {"source": self._source, "messages": messages, "words": {**self._words, **words}}
        )
        if "text" in given:
            return str(given["text"])
        kind, what = given["failure"], given["what"]
        if kind == "refused":
            raise InvalidArgument(f"The chat template of this model says: {what}")
        if kind == "late":
            raise BackendUnavailable("Reading the model's chat template timed out on this machine.")
        sentence = _SENTENCES[kind].format(what=what)
        recovery = f"{_WAY_OUT} {_BUILTIN}" if self._has_chatml and self._source != _CHATML else _WAY_OUT
        failure = InvalidModel(f"The chat template of this model {sentence}.", recovery=recovery)
        if kind in ("memory", "time", "ended"):
            # It would cost the same each time, and everybody else waits for it.
            self._condemned = failure
        raise failure


class RendererProcess:
    """The process that renders, started anew where it had to end.

    Parameters
    ----------
    cpu_seconds
        So long one rendering may compute.
    command
        Starts it.
    """

    def __init__(
        self,
        *,
        cpu_seconds: int = MAX_CPU_SECONDS,
        command: Sequence[str] = (sys.executable, "-m", f"{__package__}.templating"),
    ) -> None:
        self._cpu_seconds = cpu_seconds
        self._command = list(command)
        self._child: _Child | None = None
        with contextlib.suppress(OSError):
            self._child = _Child(self._command)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process that renders; None if it has not been started."""
        return None if self._child is None else self._child.process

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request: what `templating.answer` says, or that it had to be ended.

        Raises
        ------
        BackendUnavailable
            There is no such process, or it had no time.
        """
        for fresh in (False, True):
            child, self._child = self._child, None
            if child is None:
                try:
                    child = _Child(self._command)
                except OSError as failure:
                    raise BackendUnavailable(
                        "The process that reads the model's chat template could not be started: "
                        f"{failure.strerror}."
                    ) from None
                fresh = True
            given = child.ask({**request, "cpu_seconds": self._cpu_seconds})
            if given is not None and given.get("failure") != "memory":
                self._child = child
                return given
            verdict = child.end()
            if given is not None:
                return given
            # One that somebody else has ended says nothing of the template: a second tells.
            if fresh or verdict in ("time", "late"):
                return {"failure": verdict, "what": ""}
        raise AssertionError("a fresh one has a verdict")


class _Child:
    """One process that renders."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(
            target=_read, args=(self.process.stdout, self._answers.put), name="templates", daemon=True
        ).start()
        self._ended_for = ""
        self._cpu_seconds = MAX_CPU_SECONDS
        self._finalizer = weakref.finalize(self, _end, self.process)

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, or None where it has ended, or had to be ended, without one."""
        assert self.process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            write_message(self.process.stdin, request)
        except OSError:
            return None
        self._cpu_seconds = int(request["cpu_seconds"])
        until = time.monotonic() + MAX_WAIT_SECONDS
        before = None if sys.platform == "linux" else self._figures()
        while True:
            try:
                return self._answers.get(timeout=MAX_WAIT_SECONDS if before is None else _LOOK_SECONDS)
            except queue.Empty:
                self._ended_for = self._over_limit(before) or ("late" if time.monotonic() >= until else "")
                if self._ended_for:
                    self.process.kill()
                    return None

    def end(self) -> str:
        """End it; why it had to: `memory`, `time`, `late` (it got no time), `ended` for whatever else."""
        self._finalizer.detach()
        if not self._ended_for:
            with contextlib.suppress(subprocess.TimeoutExpired):
                # Its pipe is closed a moment before it is gone.
                self.process.wait(MAX_WAIT_SECONDS)
        code = self.process.poll()
        _end(self.process)
        return self._ended_for or {_SIGXCPU: "time", _SIGKILL: "memory"}.get(-(code or 0), "ended")

    def _over_limit(self, before: tuple[int, float] | None) -> str:
        """Which limit it has crossed that the system does not hold it to, if any."""
        now = None if before is None else self._figures()
        if before is None or now is None:
            return ""
        if now[0] - before[0] > MAX_MEMORY_BYTES:
            return "memory"
        return "time" if now[1] - before[1] > self._cpu_seconds else ""

    def _figures(self) -> tuple[int, float] | None:
        """Bytes of memory and seconds of computing, where they can be told."""
        try:
            process = psutil.Process(self.process.pid)
            times = process.cpu_times()
            return process.memory_info().rss, times.user + times.system
        except psutil.Error:
            return None


def _read(pipe: Any, put: Callable[[dict[str, Any] | None], None]) -> None:
    try:
        while (message := read_message(pipe)) is not None:
            put(message)
    except (OSError, ValueError):
        pass
    put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _without_system(turns: Sequence[PromptTurn]) -> list[PromptTurn]:
    """Put the system's words in front of the first user turn, for models that know no system."""
    system = "\n\n".join(t.content for t in turns if t.role == "system")
    rest = [t for t in turns if t.role != "system"]
    if not system or not rest:
        return list(turns)
    return [PromptTurn(rest[0].role, f"{system}\n\n{rest[0].content}"), *rest[1:]]
