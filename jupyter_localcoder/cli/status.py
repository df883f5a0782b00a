"""``status``: what the assistant is doing, in one look."""

from __future__ import annotations

import textwrap

import msgspec

from ..contract import backend, codec, registry
from ..contract.policy import PolicyState
from ..errors import Unavailable
from ..text.units import duration, size, tokens_per_second
from .command import LocalCoderCommand
from .exits import ExitCode


class Status(LocalCoderCommand):
    """Show what the assistant is doing."""

    usage = "status [options]"
    description = """Show the status of the running Jupyter server, or of this machine if no server
    is running."""

    def run(self) -> ExitCode:
        """Ask, and print."""
        served, where, status = self._ping()
        self.console.document({"server": served, "where": where} | msgspec.to_builtins(status))
        width = max(len(name) for name, _ in facts(status))
        self.console.out(
            f"Service: {where}" if served else "No Jupyter server with the extension is running."
        )
        for name, text in facts(status):
            lines = textwrap.wrap(text, max((self.console.width or 10_000) - width - 4, 20))
            self.console.out(f"  {name.ljust(width)}  " + ("\n" + " " * (width + 4)).join(lines))
        return ExitCode.OK

    def _ping(self) -> tuple[bool, str, backend.BackendStatus]:
        request = backend.PingRequest()
        try:
            with self.client(allow_local=False) as client:
                return True, client.where, client.call(registry.PING, request)
        except Unavailable:
            with self.client() as client:
                return False, client.where, client.call(registry.PING, request)


def facts(status: backend.BackendStatus) -> list[tuple[str, str]]:
    """The lines of a status, for a person: a name and a text each."""
    memory, speeds = status.memory, status.speeds
    lines = [
        ("state", f"{status.state}: {status.reason}" if status.reason else status.state),
        ("model", ", ".join(one.model for one in status.resident) or status.model or "none loaded"),
        ("profile", status.profile),
    ]
    if status.engine_error is not None:
        lines.append(("engine", codec.in_one_line(status.engine_error)))
    if status.policy is not None:
        lines.append(("policy", policy_text(status.policy)))
    if status.residency:
        lines.append(("in memory", status.residency))
    if status.context_window:
        lines += [("context", f"{status.context_window} tokens"), ("runs on", status.acceleration)]
    lines += [("note", f"{w.message} {w.action}") for one in status.resident if (w := one.warning)]
    if status.queue_length:
        lines.append(("requests", f"{status.queue_length} running or waiting"))
    if speeds.requests:
        lines.append(("speed", _speed(speeds)))
    worker = f"worker {size(memory.worker_bytes)}, " if memory.worker_bytes else ""
    return [
        *lines,
        ("memory", f"{worker}{size(memory.available_bytes)} of {size(memory.total_bytes)} free"),
        ("air gap", "on: no connection is opened" if status.air_gap else "off"),
        *([("up", duration(status.uptime_seconds))] if status.uptime_seconds >= 1 else []),
        ("version", status.version),
    ]


def policy_text(policy: PolicyState) -> str:
    """What the administrator of the hub allows, for a person."""
    said = ["off" if policy.mode == "off" else "everything is allowed"]
    if policy.mode == "full" and policy.models is not None:
        said = [f"models {', '.join(policy.models) or 'none'}"]
    if not policy.history:
        said.append("no history")
    return " ".join([f"{', '.join(said)}.", policy.message, policy.problem]).strip()


def _speed(speeds: backend.Speeds) -> str:
    """What the last requests have shown; a speed that none of them had enough tokens for is left out."""
    measured = [
        f"{verb} {tokens_per_second(speed)}"
        for verb, speed in (
            ("reads", speeds.prefill_tokens_per_second),
            ("writes", speeds.decode_tokens_per_second),
        )
        if speed
    ]
    first = (
        f"first token after {speeds.first_token_ms:.0f} ms, nine of ten within "
        f"{speeds.first_token_p90_ms:.0f} ms"
    )
    over = "the last request" if speeds.requests == 1 else f"median of the last {speeds.requests} requests"
    return f"{', '.join([*measured, first])} ({over})"
