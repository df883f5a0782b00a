"""A few words over each answer, made when nobody wants anything else."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from msgspec.structs import replace

from jupyter_localcoder import errors
from jupyter_localcoder.contract import registry, wire
from jupyter_localcoder.contract.generation import LlmCancelAllRequest
from jupyter_localcoder.contract.history import (
    ResponseRequest,
    TitleConfigGetRequest,
    TitleConfigSetRequest,
    TitleSetRequest,
)
from jupyter_localcoder.contract.models import (
    ModelDeleteRequest,
    ModelImportRequest,
    ModelLoadRequest,
    ModelUnloadRequest,
)
from jupyter_localcoder.contract.queue import CallRequest, QueueAnswer, QueueItem
from jupyter_localcoder.generation import title_prompt
from jupyter_localcoder.service.titles import MAX_TRIES
from tests.support.waiting import PATIENCE_SECONDS, within
from tests.unit.service.conftest import Desk, Open


def statuses(desk: Desk, id_: str) -> list[str]:
    return [told.status for told in desk.of("title:status") if told.response_id == id_]


def over(desk: Desk, id_: str) -> bool:
    return {"completed", "failed"} & set(statuses(desk, id_)) != set()


async def titled(desk: Desk, **fields) -> tuple[str, str]:
    done = await desk.explain(**fields)
    await desk.until(lambda: over(desk, done.run))
    (listed,) = [each for each in await desk.listed() if each.id == done.run]
    return listed.title, listed.title_source


async def configure(desk: Desk, **fields):
    return await desk.service.titles.title_config_set(TitleConfigSetRequest(**fields))


async def test_an_answer_gets_a_title_behind_it(open_desk: Open):
    desk = await open_desk(title='**Title: "Reading a CSV file."**\n\nMore words.')
    assert await titled(desk) == ("Reading a CSV file", "generated")
    told = desk.of("title:status")
    assert [each.status for each in told] == ["pending", "completed"]
    assert (told[0].title, told[1].title, told[1].model) == ("tiny", "Reading a CSV file", "tiny")


async def test_what_is_no_title_leaves_the_models_name(open_desk: Open):
    desk = await open_desk(title="...\n---\n")
    assert await titled(desk) == ("tiny", "model")
    assert desk.of("notice") == []


async def test_a_request_of_a_person_never_waits_for_a_title(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch
):
    """The worker never ends a title here by itself: only because it makes way does the next answer come."""
    desk = await open_desk(title="")
    begun = asyncio.Event()
    make = desk.service.pool.job

    def job(plan, request, *role, **named):
        if request.scope == "title:":
            begun.set()
        return make(plan, request, *role, **named)

    monkeypatch.setattr(desk.service.pool, "job", job)
    for n in range(3):
        done = await within(desk.explain(f"x = {n}"))
        assert done.text == "An answer."
        await within(begun.wait())
        begun.clear()
    assert all("completed" not in statuses(desk, each.id) for each in await desk.listed())


async def test_a_title_that_the_end_of_python_overtakes_is_given_up_in_silence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Python ends its threads before the service of a kernel or a command is closed."""
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def get(_: str):
        loop.call_soon_threadsafe(begun.set)
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(desk.store, "get", get)
    done = await desk.explain()
    await within(begun.wait())
    worker = desk.service.titles._worker
    assert worker is not None
    await within(worker)
    assert "completed" not in statuses(desk, done.run)
    assert [record for record in caplog.records if "No title" in record.message] == []


async def test_what_is_kept_while_the_service_closes_begins_no_title(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """The disk keeps it when the titles have closed, and not before."""
    closed = threading.Event()
    keep_all, close = desk.store.keep_all, desk.service.titles.close

    def late(responses):
        assert closed.wait(PATIENCE_SECONDS)
        return keep_all(responses)

    async def close_titles():
        await close()
        closed.set()

    monkeypatch.setattr(desk.store, "keep_all", late)
    monkeypatch.setattr(desk.service.titles, "close", close_titles)
    before = asyncio.all_tasks()
    await desk.explain()
    await desk.service.close()
    (kept,) = desk.store.page().responses
    assert (kept.title_source, statuses(desk, kept.id)) == ("model", [])
    assert asyncio.all_tasks() <= before


async def test_a_title_is_below_everything_else(desk: Desk):
    """Of the lowest rank that computes in the worker, in a cache of its own, and a few tokens long."""
    asked = []
    make = desk.service.pool.job

    def job(plan, request, *role, **named):
        asked.append(request)
        return make(plan, request, *role, **named)

    desk.service.pool.job = job
    done = await desk.explain()
    await desk.until(lambda: over(desk, done.run))
    answer, title = asked
    assert (answer.priority, title.priority) == ("command", "background")
    assert title.scope == "title:" != answer.scope
    assert title.max_tokens == title_prompt.MAX_TOKENS


async def test_a_title_that_made_way_is_tried_again(desk: Desk):
    said = [None, None, "At last"]

    async def say(asked, config, plan):
        return said.pop(0)

    desk.service.titles._try = say
    assert await titled(desk) == ("At last", "generated")


async def test_no_model_is_loaded_for_a_title(desk: Desk):
    await desk.settings(history=True)
    done = await desk.explain()
    await desk.until(lambda: over(desk, done.run))
    await desk.service.models.model_unload(ModelUnloadRequest())
    loads = desk.service.pool.generation
    with pytest.raises(errors.TitleProviderError, match="No model is loaded"):
        await desk.service.titles.title_generate(ResponseRequest(id=done.run))
    assert desk.service.pool.generation == loads
    assert desk.service.pool.front.state == "stopped"
    assert statuses(desk, done.run) == ["pending", "completed"]
    assert "No model is loaded" in (await shown(desk)).problem


async def shown(desk: Desk):
    return await desk.service.handle(registry.TITLE_CONFIG_GET, TitleConfigGetRequest())


async def another(desk: Desk, id_: str = "other") -> None:
    """A second model, which is not loaded."""
    path = desk.service.store.locate("tiny").path
    await desk.service.models.model_import(ModelImportRequest(path=str(path), id=id_))


async def test_another_model_than_the_loaded_one_makes_none_until_it_is_loaded(desk: Desk):
    await another(desk)
    await configure(desk, model="other")
    assert await titled(desk) == ("tiny", "model")
    assert (await shown(desk)).problem.startswith("The model for titles is `other`, but tiny is loaded")
    (kept,) = await desk.listed()
    await configure(desk, model="")
    await desk.until(lambda: statuses(desk, kept.id)[-1] == "completed")
    assert (await desk.listed())[0].title == "A title"
    assert (await shown(desk)).problem == ""


async def test_a_model_that_is_not_known_is_refused_with_those_that_are_here(desk: Desk):
    with pytest.raises(errors.TitleConfigInvalid, match="nobody-knows") as refused:
        await configure(desk, model="nobody-knows")
    assert refused.value.details["field"] == "model"
    assert "On this machine: `tiny`." in refused.value.recovery
    for field in ("title_model", "model", "general_model"):
        with pytest.raises(errors.ModelNotFound) as unknown:
            await desk.settings(**{field: "nobody-knows"})
        assert unknown.value.details["field"] == field
        assert "On this machine: `tiny`." in unknown.value.recovery
    assert (await shown(desk)).model == ""


async def test_a_model_that_was_deleted_later_is_told_and_asked_no_more(desk: Desk):
    await another(desk)
    await configure(desk, model="other")
    await desk.service.models.model_delete(ModelDeleteRequest(id="other"))
    asked = []
    desk.service.titles._try = lambda *args: asked.append(args)
    assert await titled(desk) == ("tiny", "model")
    assert asked == []
    problem = (await shown(desk)).problem
    assert problem.startswith("The model for titles, `other`, is not on this machine.")
    assert problem.endswith("On this machine: `tiny`.")


async def test_what_no_model_could_title_gets_its_title_when_one_is_loaded(desk: Desk):
    """As with people whose answers come from elsewhere: nothing is sent there for it."""
    recorder = desk.service.recorder
    first = await desk.explain()
    await desk.until(lambda: over(desk, first.run))
    await desk.service.models.model_unload(ModelUnloadRequest())
    kept = replace(recorder.store.get(first.run), id="1" * 16, title="m-1", title_source="model")
    recorder.store.keep_all([kept])
    desk.service.titles._on_response_saved(kept)
    await desk.until(lambda: statuses(desk, kept.id) == ["failed"])
    assert desk.service.pool.front.state == "stopped"
    await desk.service.models.model_load(ModelLoadRequest(id="tiny"))
    await desk.until(lambda: statuses(desk, kept.id) == ["failed", "pending", "completed"])
    assert recorder.store.get(kept.id).title == "A title"


async def test_what_failed_is_tried_again_with_the_next_answer_but_not_for_ever(desk: Desk):
    tried: list[str] = []

    async def fails(asked, config, plan):
        tried.append(asked)
        raise errors.TitleTimeout

    desk.service.titles._try = fails
    first = await desk.explain("first = 1")
    await desk.until(lambda: over(desk, first.run))
    for n in range(4):
        done = await desk.explain(f"x = {n}")
        await desk.until(lambda done=done: over(desk, done.run))
        await desk.service.titles._worker
    assert sum("first = 1" in asked for asked in tried) == MAX_TRIES
    assert statuses(desk, first.run) == ["pending", "failed"] * MAX_TRIES


async def test_what_was_cut_off_is_no_title(open_desk: Open):
    desk = await open_desk(title="Answer to")
    make, limits = desk.service.pool.job, []

    def job(plan, request, role="code", *, named=False):
        if request.scope == "title:":
            limits.append(request.max_tokens)
            return CutJob(make(plan, request, role, named=named))
        return make(plan, request, role, named=named)

    desk.service.pool.job = job
    assert await titled(desk) == ("tiny", "model")
    assert limits == [title_prompt.MAX_TOKENS, title_prompt.MAX_LONG_TOKENS]


class CutJob:
    """A job whose answer has used up its tokens."""

    def __init__(self, job) -> None:
        self._job = job
        self.plan = job.plan
        self.cancel = job.cancel

    async def __aiter__(self):
        async for frame in self._job:
            yield frame if isinstance(frame, wire.Text) else replace(frame, finish="length")


async def test_settings_of_titles_of_an_older_version_are_taken_over(open_desk: Open):
    first = await open_desk()
    path = first.store.root / "titles.json"
    path.parent.mkdir(exist_ok=True)
    old = {"enabled": False, "provider": "", "model": "tiny", "timeout_seconds": 12}
    path.write_text(json.dumps({"format": 1, "titles": old}))
    desk = await open_desk()
    config = await shown(desk)
    assert (config.enabled, config.model, config.timeout_seconds) == (False, "tiny", 12)
    assert config.sources["model"] == "settings"
    await configure(desk, enabled=True)
    assert not path.exists()
    config = await shown(desk)
    assert (config.enabled, config.model, config.timeout_seconds) == (True, "tiny", 12)
    await desk.settings(title_model=None)
    assert (await shown(desk)).model == ""


async def test_switched_off_there_is_none(desk: Desk):
    await configure(desk, enabled=False)
    await desk.explain()
    await desk.until(lambda: desk.of("response:complete"))
    await desk.service.titles._worker
    assert desk.of("title:status") == []


async def test_a_title_may_be_made_again_and_written_by_hand(desk: Desk):
    done = await desk.explain()
    await desk.until(lambda: over(desk, done.run))
    made = await desk.service.titles.title_set(TitleSetRequest(id=done.run, title="  My own\n words "))
    assert (made.title, made.title_source) == ("My own words", "hand")
    again = await desk.service.titles.title_generate(ResponseRequest(id=done.run))
    assert (again.title, again.title_source) == ("A title", "generated")
    assert (await desk.listed())[0].title == "A title"


@pytest.mark.parametrize("blank", [" ", "\n\t", "\x1b[0m", "\x07"])
async def test_a_title_of_nothing_is_refused(desk: Desk, blank: str):
    done = await desk.explain()
    with pytest.raises(errors.InvalidArgument):
        await desk.service.titles.title_set(TitleSetRequest(id=done.run, title=blank))
    assert (await desk.listed())[0].title


async def test_a_title_by_hand_is_not_overwritten_by_one_that_comes_late(open_desk: Open):
    desk = await open_desk(title="")
    done = await desk.explain()
    await desk.until(lambda: "pending" in statuses(desk, done.run))
    await desk.service.titles.title_set(TitleSetRequest(id=done.run, title="Mine"))
    desk.service.titles._try = _says("Late")
    await desk.explain("x = 2")
    await desk.until(lambda: len(await_none(desk)) >= 1)
    assert [each.title for each in await desk.listed() if each.id == done.run] == ["Mine"]


def _says(text: str):
    async def say(asked, config, plan):
        return text

    return say


def await_none(desk: Desk) -> list:
    return [told for told in desk.of("title:status") if told.status == "completed" and told.title == "Late"]


async def test_an_answer_that_is_not_there_has_no_title(desk: Desk):
    with pytest.raises(errors.TitleResponseNotFound):
        await desk.service.titles.title_generate(ResponseRequest(id="0" * 16))
    with pytest.raises(errors.ResponseNotFound):
        await desk.service.titles.title_set(TitleSetRequest(id="0" * 16, title="x"))


async def test_only_the_first_turn_of_a_conversation_gets_one(desk: Desk):
    recorder = desk.service.recorder
    first = await desk.explain()
    await desk.until(lambda: over(desk, first.run))
    second = recorder.store.get(first.run)
    desk.service.titles._on_response_saved(replace(second, id="1" * 16, parent_id=first.run))
    assert not desk.service.titles._waiting


async def test_the_configuration_is_kept_and_checked(desk: Desk, open_desk: Open):
    assert (await desk.service.handle(registry.TITLE_CONFIG_GET, TitleConfigGetRequest())).enabled
    await configure(desk, enabled=False, timeout_seconds=10)
    for wrong in (9.9, 120.1, -1.0):
        with pytest.raises(errors.TitleConfigInvalid) as caught:
            await configure(desk, timeout_seconds=wrong)
        assert caught.value.details["field"] == "timeout_seconds"
    with pytest.raises(errors.TitleConfigInvalid, match="no provider 'gone'") as caught:
        await configure(desk, provider="gone")
    assert caught.value.details["field"] == "provider"
    await configure(desk, provider="embedded")
    other = await open_desk()
    config = await other.service.handle(registry.TITLE_CONFIG_GET, TitleConfigGetRequest())
    assert (config.enabled, config.timeout_seconds) == (False, 10)


async def test_another_provider_is_asked_through_the_queue(desk: Desk):
    asked: list[CallRequest] = []

    async def ask(request: CallRequest) -> QueueAnswer:
        asked.append(request)
        if len(asked) == 2:
            raise errors.Timeout
        if len(asked) == 3:
            raise errors.AirGapped
        item = QueueItem(
            id="1", prompt_id="1", provider="far", model="m", priority="low", state="done", position=0,
            keep=False, private=True, path="", cell="", added="",
        )  # fmt: skip
        return QueueAnswer(item=item, text="From afar")

    desk.service.titles._ask = ask
    desk.service.providers.check_there = lambda id_: None  # type: ignore[method-assign]
    await configure(desk, provider="far", model="m", timeout_seconds=12)
    assert await titled(desk) == ("From afar", "generated")
    (request,) = asked
    assert (request.provider, request.model, request.priority, request.private) == ("far", "m", "low", True)
    assert request.timeout_ms == 12_000
    done = (await desk.listed())[0].id
    for expected in (errors.TitleTimeout, errors.TitleProviderError):
        with pytest.raises(expected):
            await desk.service.titles.title_generate(ResponseRequest(id=done))


def far_answer(text: str, finish: str = "stop") -> QueueAnswer:
    item = QueueItem(
        id="1", prompt_id="1", provider="far", model="m", priority="low", state="done", position=0,
        keep=False, private=True, path="", cell="", added="",
    )  # fmt: skip
    return QueueAnswer(item=item, text=text, finish=finish)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([errors.NoAnswer(reasoned=True), far_answer("A title")], ("A title", "generated")),
        # A thought that nothing marks, cut off: no title until it has ended.
        ([far_answer("Okay, the user", "length"), far_answer("A title")], ("A title", "generated")),
        ([far_answer("Okay, the user", "length"), far_answer("Okay, so", "length")], ("tiny", "model")),
        ([errors.NoAnswer(reasoned=True), errors.NoAnswer(reasoned=True)], ("tiny", "model")),
        ([errors.NoAnswer()], ("tiny", "model")),
        ([far_answer("A title\n\nAnd more", "length")], ("A title", "generated")),
        ([far_answer("Answer to", "timeout")], ("tiny", "model")),
        ([far_answer("Answer to", "filter"), far_answer("Answer", "filter")], ("tiny", "model")),
    ],
)
async def test_a_provider_that_reasons_gets_more_room_once(desk: Desk, answers: list, expected):
    limits = []

    async def ask(request: CallRequest) -> QueueAnswer:
        limits.append(request.max_tokens)
        answer = answers[len(limits) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    desk.service.titles._ask = ask
    desk.service.providers.check_there = lambda id_: None  # type: ignore[method-assign]
    await configure(desk, provider="far", model="m")
    assert await titled(desk) == expected
    few = title_prompt.MAX_TOKENS
    assert limits == [few, few + title_prompt.MAX_THOUGHT_TOKENS][: len(answers)]


async def test_a_model_here_is_asked_without_reasoning_and_gets_more_room_once(open_desk: Open):
    desk = await open_desk(title="<think>Okay, the user")
    asked = []
    make = desk.service.pool.job

    def job(plan, request, role="code", *, named=False):
        asked.append(request)
        return make(plan, request, role, named=named)

    desk.service.pool.job = job
    assert await titled(desk) == ("tiny", "model")
    answer, *titles = asked
    assert answer.prompt.thinking
    assert [each.prompt.thinking for each in titles] == [False, False]
    few = title_prompt.MAX_TOKENS
    assert [each.max_tokens for each in titles] == [few, few + title_prompt.MAX_THOUGHT_TOKENS]


async def test_cancel_all_ends_no_answers_title(desk: Desk):
    """What a person cannot see they do not mean."""
    await desk.service.queue.llm_cancel_all(LlmCancelAllRequest())
    assert await titled(desk) == ("A title", "generated")


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Lists in Python", "Lists in Python"),
        ("\n\n# Lists\n", "Lists"),
        ('"Lists."', "Lists"),
        ("Title: Lists", "Lists"),
        ("\x1b]52;c;aGk=\x07Lists", "Lists"),
        ("```python\nx", "python"),
        (
            "one two three four five six seven eight nine ten eleven",
            "one two three four five six seven eight nine ten",
        ),
        ("", ""),
        ("?!\n…", ""),
        ("x" * 500, "x" * 119 + "…"),
    ],
)
def test_what_is_made_of_what_a_model_says(said: str, title: str):
    assert title_prompt.title_of(said) == title


def test_only_the_beginning_is_shown_to_who_makes_the_title():
    asked = title_prompt.question("p" * 10_000, "a" * 10_000)
    assert asked.count("p") < 400
    assert len(asked) < 600
    assert title_prompt.question("short", "a" * 10_000).count("a" * 450) == 1
