"""The rooms that guard, and the tests that are to fail where one of them is changed."""

from __future__ import annotations

from typing import NamedTuple


class Room(NamedTuple):
    """Modules that are changed, below `jupyter_localcoder`, and the tests that are run for each change."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


_SAFE_TEXT = "tests/unit/magics/test_safe_text.py"

ROOMS: dict[str, Room] = {
    "plain_text": Room(("text/plain_text.py",), (_SAFE_TEXT, "tests/unit/cli/test_hostile_names.py")),
    "safe_markdown": Room(("text/safe_markdown.py",), ("tests/unit/text/test_safe_markdown.py", _SAFE_TEXT)),
    "answers": Room(("text/answers.py",), ("tests/unit/magics/test_answers.py", _SAFE_TEXT)),
    "storage": Room(
        ("storage/atomic.py", "storage/failures.py", "storage/json_file.py", "storage/latest.py",
         "storage/locks.py", "storage/regular.py"),
        ("tests/unit/storage",),
    ),
    "queueing": Room(
        ("queueing/journal.py", "queueing/places.py", "queueing/queue.py", "queueing/record.py",
         "queueing/ticket.py"),
        ("tests/unit/queueing",),
    ),
    "watchdog": Room(
        ("engine/watchdog.py", "engine/crash_cause.py", "engine/states.py"),
        ("tests/faults/test_deadlines.py", "tests/unit/engine/test_states.py",
         "tests/unit/engine/test_supervisor.py"),
    ),
    "supervisor": Room(
        ("engine/supervisor.py", "engine/worker_slot.py", "engine/worker_link.py", "engine/job.py",
         "engine/crash.py", "engine/current_change.py", "engine/restart_policy.py", "engine/idle_timer.py"),
        ("tests/faults/test_deadlines.py", "tests/unit/engine/test_supervisor_machine.py",
         "tests/unit/engine/test_supervisor.py", "tests/unit/engine/test_worker_link.py",
         "tests/unit/engine/test_restart_policy.py", "tests/unit/engine/test_current_change.py",
         "tests/unit/engine/test_idle_timer.py"),
    ),
    "identity": Room(
        ("server/identity.py", "server/address.py"), ("tests/server/test_access.py",),
    ),
    "origins": Room(
        ("credentials/store.py", "providers/address.py"),
        ("tests/unit/credentials", "tests/unit/providers"),
    ),
    "store": Room(
        ("models/store.py", "models/folder.py"),
        ("tests/unit/models/test_store.py", "tests/unit/models/test_store_machine.py"),
    ),
    "gguf": Room(("models/gguf.py", "models/gguf_bytes.py"), ("tests/unit/models/test_gguf.py",)),
    "gate": Room(
        ("context/checks/gate.py", "context/checks/whole.py", "context/checks/scan.py"),
        ("tests/unit/context",),
    ),
}  # fmt: skip
