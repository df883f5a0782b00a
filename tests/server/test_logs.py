"""What is written about a request where others may read it: no prompt, no answer, no path, no stack trace."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Answer, Ask, queue_answer
from tests.support.workers import ChangingSpawn

PROMPT = "canary_in_a_prompt"
ANSWER = "canary_in_an_answer"
PATHS = re.compile(r"(?<![\w:/])/(?:home|root|tmp|usr|var|opt)/\w|[A-Z]:\\")


async def test_no_prompt_and_no_answer_is_logged_and_no_error_tells_of_the_machine(
    ask: Ask, extension: LocalCoderApp, tiny_model: str, tmp_path: Path, jp_serverapp: Any,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    for name in ("", "LocalCoderApp", "ServerApp", "tornado.access", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.INFO)
    for log in (extension.log, jp_serverapp.log):
        log.addHandler(caplog.handler)
    # It answers, fails, crashes, and says what cannot be read.
    says = json.dumps({"says": ANSWER})
    scripts = ChangingSpawn(says, "fails", "crashes", "garbage", says)
    extension.service.pool.spawn = scripts
    answers: list[Answer] = []
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("generate", {"command": "explain", "code": PROMPT}),
        ("chat", {"messages": [{"role": "user", "content": PROMPT}]}),
        ("complete", {"prefix": PROMPT, "suffix": PROMPT}),
        ("queue", {"prompt": PROMPT}),
        ("generate", {"command": PROMPT, "code": PROMPT}),
        ("chat", {"messages": PROMPT}),
        ("complete", {"prefix": "", "suffix": PROMPT}),
        ("queue", {"prompt": PROMPT, "provider": "nobody"}),
    ]
    for worker in range(len(scripts.scripts)):
        if worker:
            await ask("POST", "models/unload")
        for path, body in bodies:
            answers.append(await ask("POST", path, body))
            if path == "queue" and answers[-1].status == 200:
                await queue_answer(ask, answers[-1].data["id"])

    def defect(*_: object, **__: object) -> None:
        raise RuntimeError(f"a defect in {tmp_path}")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(extension.service.fallback, "choose", defect)
        patched.setattr(extension.service.store, "infos", defect)
        answers += [await ask("POST", *bodies[0]), await ask("GET", "models")]
    captured = capfd.readouterr()
    written = caplog.text + captured.out + captured.err
    assert "a defect" in written, "the log of the server is not what was read"
    assert "terminated by SIGKILL" in written
    assert PROMPT not in written
    assert ANSWER not in written

    texts = "".join(answer.text for answer in answers)
    assert ANSWER in texts
    for code in ("BACKEND_UNAVAILABLE", "TOKEN_LIMIT_EXCEEDED", "VALIDATION_ERROR", "UNKNOWN_ERROR"):
        assert code in texts
    failed = [answer.text for answer in answers if answer.status != 200 or '"error"' in answer.text]
    for text in failed:
        assert "Traceback" not in text
        assert "a defect" not in text
        assert not PATHS.search(text), text
