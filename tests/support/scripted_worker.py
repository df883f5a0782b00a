"""A worker that follows a script instead of running a model: ``python scripted_worker.py SCRIPT``.

It speaks the real frames over the real pipes, in a real process, so that what is tested around it is real.
The script says what it does with a request for text; everything else it does as it should. A script that is
a JSON object is an answer: ``{"says": "text", "log_probability": -0.1, "ends": true, "title": "text"}``; with
``"again"``, that is said to what is asked once more because the first answer could not be used.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import msgspec

from jupyter_localcoder.contract import wire
from jupyter_localcoder.worker.__main__ import private_pipes


def hello(**changes: object) -> wire.Hello:
    values: dict[str, object] = {
        "protocol": wire.PROTOCOL, "pid": os.getpid(), "version": "0", "llama_cpp": "scripted",
        "system_info": "", "gpu_offload": False, "mlock": False,
    }  # fmt: skip
    return wire.Hello(**{**values, **changes})  # type: ignore[arg-type]


def loaded(id_: int) -> wire.Loaded:
    return wire.Loaded(
        id=id_, n_ctx=4096, n_ctx_train=4096, n_vocab=256, n_layers=2, n_gpu_layers=0, description="scripted",
        fill_in_the_middle=True, chat_template=True, weights_bytes=1, load_ms=1.0,
    )  # fmt: skip


def finished(id_: int, finish: str = "stop", tokens: int = 0) -> wire.Finished:
    return wire.Finished(
        id=id_, finish=finish, prompt_tokens=3, cached_tokens=0, left_out_tokens=0,  # type: ignore[arg-type]
        completion_tokens=tokens, queue_ms=0.0, prefill_ms=1.0, decode_ms=1.0, prompt_sha256="",
    )  # fmt: skip


def read(frame: wire.GenerateFrame) -> tuple[wire.Segment, ...]:
    """What was read, one token a character."""
    prompt = frame.prompt
    if not frame.report:
        return ()
    if isinstance(prompt, wire.ChatPrompt):
        return tuple(wire.Segment(turn.role, turn.content, len(turn.content)) for turn in prompt.turns)
    own = wire.ContextPiece(prompt.prefix, wire.SOURCE_OWN), wire.ContextPiece(prompt.suffix, wire.SOURCE_OWN)
    pieces = (*prompt.above, *own, *prompt.below)
    return tuple(wire.Segment(piece.source, piece.text, len(piece.text)) for piece in pieces)


def _is_asked_again(frame: wire.GenerateFrame) -> bool:
    turns = frame.prompt.turns if isinstance(frame.prompt, wire.ChatPrompt) else ()
    return any("An earlier answer could not be used" in turn.content for turn in turns)


class Scripted:
    def __init__(self, script: str) -> None:
        self.script = script
        self.reader, self.writer = private_pipes()

    def send(self, frame: wire.FromWorker) -> None:
        self.writer.write(wire.pack(frame))
        self.writer.flush()

    def raw(self, data: bytes) -> None:
        self.writer.write(data)
        self.writer.flush()

    def run(self) -> None:
        if self.script == "silent":
            time.sleep(60)
        if self.script == "dies-at-once":
            sys.exit(3)
        if self.script == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.send(hello(protocol=99) if self.script == "other-protocol" else hello())
        if self.script == "dies-after-hello":
            sys.exit(4)
        while (frame := wire.read_to_worker(self.reader.read)) is not None:
            self.take(frame)
        if self.script == "deaf":
            time.sleep(60)

    def take(self, frame: wire.ToWorker) -> None:
        if isinstance(frame, wire.LoadFrame):
            self.load(frame)
        elif isinstance(frame, wire.Ping):
            self.send(wire.Pong(id=frame.id, running=0, waiting=0, steps=0, rss_bytes=1))
        elif isinstance(frame, wire.Cancel):
            if self.script == "hears-no-cancel":
                return
            self.send(finished(frame.id, frame.reason))
        elif isinstance(frame, wire.GenerateFrame):
            if self.script.startswith("{"):
                self.says(frame, **json.loads(self.script))
            else:
                getattr(self, self.script.replace("-", "_"), self.echo)(frame)

    def load(self, frame: wire.LoadFrame) -> None:
        if self.script == "no-memory":
            self.send(wire.Error(id=frame.id, code="OUT_OF_MEMORY", message="too big"))
        elif self.script == "load-hangs":
            time.sleep(60)
        elif self.script == "crashes-in-load":
            os.kill(os.getpid(), signal.SIGSEGV)
        else:
            time.sleep(0.05)
            self.send(loaded(frame.id))

    # What happens with a request for text

    def echo(self, frame: wire.GenerateFrame) -> None:
        for i, word in enumerate(("one ", "two ", "three"), 1):
            self.send(wire.Text(id=frame.id, text=word, tokens=i))
        self.send(finished(frame.id, tokens=3))

    def says(
        self,
        frame: wire.GenerateFrame,
        says: str,
        log_probability: float = -0.1,
        ends: bool = True,
        title: str | None = None,
        again: str | None = None,
    ) -> None:
        """Answers character by character; without an end, it waits for a cancel.

        What is asked for a title is answered with it; with an answer that never ends, if it is empty.
        """
        if title is not None and frame.scope == "title:":
            says, ends = title, bool(title)
        elif again is not None and _is_asked_again(frame):
            says, ends = again, again != ""
        for i, character in enumerate(says, 1):
            self.send(wire.Text(id=frame.id, text=character, tokens=i, log_probability=log_probability))
        if ends:
            end = finished(frame.id, tokens=len(says))
            sure = {"log_probability": log_probability, "first_token_margin": 1.0}
            self.send(msgspec.structs.replace(end, **sure, segments=read(frame)))

    def waits(self, frame: wire.GenerateFrame) -> None:
        """Begins an answer, and ends it only when it is cancelled."""
        self.send(wire.Text(id=frame.id, text="begun", tokens=1))

    hears_no_cancel = waits

    def crashes(self, frame: wire.GenerateFrame) -> None:
        self.send(wire.Text(id=frame.id, text="begun", tokens=1))
        os.kill(os.getpid(), signal.SIGKILL)

    def fails(self, frame: wire.GenerateFrame) -> None:
        self.send(wire.Error(id=frame.id, code="TOKEN_LIMIT_EXCEEDED", message="too long"))

    def garbage(self, frame: wire.GenerateFrame) -> None:
        self.raw(b"\x00\x00\x00\x05hello")
        time.sleep(60)

    def oversized(self, frame: wire.GenerateFrame) -> None:
        self.raw((wire.MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
        time.sleep(60)

    def truncated(self, frame: wire.GenerateFrame) -> None:
        """Half a frame, and then no more."""
        self.raw(wire.pack(wire.Text(id=frame.id, text="begun", tokens=1))[:-3])
        self.writer.close()
        time.sleep(60)

    def floods(self, frame: wire.GenerateFrame) -> None:
        """Native code that prints without end, to both standard streams."""
        for _ in range(200):
            os.write(1, b"x" * 10_000 + b"\n")
            os.write(2, b"y" * 10_000 + b"\n")
        self.echo(frame)

    def babbles(self, frame: wire.GenerateFrame) -> None:
        """Native code that never ends a line."""
        for _ in range(64):
            os.write(2, b"y" * 1_000_000)
        self.echo(frame)

    def curses(self, frame: wire.GenerateFrame) -> None:
        """Prints what stands in a hostile file, and dies."""
        os.write(2, b"model \x1b]52;c;QQ==\x07 is \x1b[2Jbroken\rfine\nthe last\n")
        os.kill(os.getpid(), signal.SIGSEGV)

    def deaf(self, frame: wire.GenerateFrame) -> None:
        self.echo(frame)


if __name__ == "__main__":
    Scripted(sys.argv[1]).run()
