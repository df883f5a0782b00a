"""What is under way with a model: told as events, one thing at a time, stopped and gone on from."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.contract import registry
from jupyter_localcoder.contract.models import (
    ModelEnsureRequest,
    ModelExportRequest,
    ModelImportRequest,
    ModelStateEvent,
)
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.events import EventHub
from jupyter_localcoder.models.jobs import Downloads
from jupyter_localcoder.models.sources import http
from jupyter_localcoder.settings import LocalCoderSettings
from tests.support.deaf_address import deaf_address
from tests.support.waiting import PATIENCE_SECONDS, happened, until, within


@dataclass
class Desk:
    """Downloads over a store, and the events that were told."""

    work: Any
    downloads: Downloads
    events: EventHub
    settings: LocalCoderSettings
    told: list[ModelStateEvent] = field(default_factory=list)

    async def ensure(self, **changes: Any) -> None:
        request = {"allow_download": True, "accept_license": self.work.license_sha256, **changes}
        await self.downloads.ensure(ModelEnsureRequest(id="tiny", **request))

    async def until(self, reached: Callable[[ModelStateEvent], bool]) -> ModelStateEvent:
        async def look() -> ModelStateEvent:
            while True:
                for event in self.told:
                    if reached(event):
                        return event
                await asyncio.sleep(0.005)

        return await within(look())

    async def ended(self) -> ModelStateEvent:
        """The event after which nothing is under way."""
        return await self.until(lambda event: event.activity == "" and event is self.told[-1])

    async def half(self, server: Any) -> None:
        """Wait until the server hangs after half of the file, and some of that has come."""
        await happened(server.hanging)
        await until(lambda: self.work.store.received_bytes("tiny"))

    @property
    def info(self) -> Any:
        return self.downloads.live(self.work.store.info("tiny", 0))


Make = Callable[..., Desk]


@pytest.fixture
def desk(bench: Any, server: Any, url_source: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Make:
    monkeypatch.setattr("jupyter_localcoder.models.jobs.CLOSE_SECONDS", PATIENCE_SECONDS)

    def make(url: str = "", **traits: Any) -> Desk:
        settings = LocalCoderSettings(settings_dir=str(tmp_path / "settings"))
        work = bench({"type": "url", "url": url} if url else url_source(server), **traits)
        events = EventHub(logging.getLogger("test"))
        downloads = Downloads(work.store, events, accepted_by="ada", air_gap=lambda: settings.current.air_gap)
        made = Desk(work, downloads, events, settings)
        events.listen(lambda event, payload: event is registry.MODEL_STATE and made.told.append(payload))
        return made

    return make


async def test_a_download_is_told_from_its_start_to_its_end(desk: Make) -> None:
    here = desk()
    await here.ensure()
    first = here.told[0]
    assert (first.state, first.activity) == ("downloading", "download")
    last = await here.ended()
    assert (last.state, last.error) == ("ready", None)
    assert last.received_bytes == last.total_bytes == here.info.size_bytes
    assert {event.activity for event in here.told[:-1]} == {"download"}
    assert {event.model_path for event in here.told[:-1]} == {""}
    assert Path(last.model_path).stat().st_size == here.info.size_bytes
    assert here.info.model_path == last.model_path
    await here.ensure()  # It is here: that is told with its path at once.
    assert here.told[-1].model_path == last.model_path


async def test_a_pause_keeps_the_part_and_a_resume_goes_on_from_it(
    desk: Make, server: Any, answer: Any
) -> None:
    here = desk()
    cut = len(server.body) // 2
    server.answers = [answer(hang_after=cut), answer()]
    await here.ensure()
    await here.half(server)
    assert here.info.activity == "download"
    await here.downloads.cancel("tiny")
    paused = here.told[-1]
    assert (paused.state, paused.activity, paused.error) == ("idle", "", None)
    assert 0 < paused.received_bytes <= cut
    here.told.clear()
    await here.ensure()
    assert (await here.ended()).state == "ready"
    assert server.requests[-1]["range"] == f"bytes={paused.received_bytes}-"


async def test_a_resume_before_the_pause_is_over_goes_on_after_it(
    desk: Make, server: Any, answer: Any
) -> None:
    here = desk()
    server.answers = [answer(hang_after=len(server.body) // 2), answer()]
    await here.ensure()
    await here.half(server)
    pausing = asyncio.ensure_future(here.downloads.cancel("tiny"))
    await asyncio.sleep(0)
    await here.ensure()
    await pausing
    assert (await here.until(lambda event: event.state == "ready")).error is None


def by_another_process(here: Desk) -> None:
    other = LocalCoderSettings(settings_dir=here.settings.settings_dir)
    other.update(SettingsUpdateRequest(air_gap=True))


def by_hand(here: Desk) -> None:
    here.settings.path.parent.mkdir(parents=True, exist_ok=True)
    here.settings.path.write_text('{"format": 1, "settings": {"air_gap": true}}')


def by_the_administrator(here: Desk) -> None:
    here.settings.config.LocalCoderSettings.air_gap = True
    here.settings.air_gap = True


SWITCHES = pytest.mark.parametrize("switch", [by_another_process, by_hand, by_the_administrator])


@SWITCHES
async def test_the_air_gap_stops_what_comes_over_the_network(
    desk: Make, server: Any, answer: Any, switch: Callable[[Desk], None]
) -> None:
    here = desk()
    server.answers = [answer(hang_after=len(server.body) // 2), answer()]
    await here.ensure()
    await here.half(server)
    switch(here)
    stopped = await here.ended()
    assert (stopped.state, stopped.error and stopped.error.code) == ("idle", "AIR_GAPPED")
    assert stopped.received_bytes > 0
    asked = len(server.requests)
    with pytest.raises(errors.AirGapped):  # Nor does one begin that was asked for before.
        await here.ensure()
    assert len(server.requests) == asked


@pytest.mark.parametrize("stop", ["air gap", "cancel"])
async def test_a_connection_that_nobody_takes_is_given_up_at_once(
    desk: Make, server: Any, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    """Its own time-out is longer than this test may take."""
    monkeypatch.setattr(http, "CONNECT_SECONDS", 10 * PATIENCE_SECONDS)
    sent = httpx.Client.send
    connecting = threading.Event()

    def sends(*given: Any, **named: Any) -> Any:
        connecting.set()
        return sent(*given, **named)

    monkeypatch.setattr(httpx.Client, "send", sends)
    with deaf_address() as address:
        here = desk(f"http://{address}/tiny.gguf", download_timeout_seconds=10 * PATIENCE_SECONDS)
        await here.ensure()
        await happened(connecting)
        if stop == "cancel":
            await within(here.downloads.cancel("tiny"))
            assert (here.told[-1].state, here.told[-1].error) == ("idle", None)
        else:
            by_another_process(here)
            stopped = await here.ended()
            assert (stopped.error and stopped.error.code) == "AIR_GAPPED"


async def test_what_the_air_gap_stopped_goes_on_from_there(desk: Make, server: Any, answer: Any) -> None:
    here = desk()
    server.answers = [answer(hang_after=len(server.body) // 2), answer()]
    await here.ensure()
    await here.half(server)
    by_another_process(here)
    stopped = await here.ended()
    here.told.clear()
    LocalCoderSettings(settings_dir=here.settings.settings_dir).update(SettingsUpdateRequest(air_gap=False))
    await here.ensure()
    assert (await here.ended()).state == "ready"
    assert server.requests[-1]["range"] == f"bytes={stopped.received_bytes}-"


@pytest.mark.parametrize(
    "first",
    [{"location": "/again"}, {"status": 503}, {"cut_after": 1000}],
    ids=["redirect", "retry", "resume"],
)
@SWITCHES
async def test_with_the_air_gap_on_no_other_connection_is_opened(
    desk: Make, server: Any, answer: Any, first: dict[str, Any], switch: Callable[[Desk], None]
) -> None:
    here = desk()
    status = {"status": 302} if "location" in first else {}
    server.answers = [answer(**first, **status), answer()]
    # While the server is still busy with the first answer.
    answers = server.next_answer

    def switched(headers: dict[str, str]) -> Any:
        switch(here)
        return answers(headers)

    server.next_answer = switched
    await here.ensure()
    stopped = await here.ended()
    assert (stopped.error and stopped.error.code) == "AIR_GAPPED"
    assert len(server.requests) == 1


async def test_a_cancelled_download_leaves_nothing(desk: Make, server: Any, answer: Any) -> None:
    here = desk()
    server.answers = [answer(hang_after=len(server.body) // 2)]
    await here.ensure()
    await here.half(server)
    await here.downloads.cancel("tiny", discard=True)
    assert (here.told[-1].state, here.told[-1].received_bytes) == ("idle", 0)
    assert not (here.work.folder / "tiny").exists()


async def test_a_part_that_was_kept_can_be_removed_later(desk: Make, server: Any, answer: Any) -> None:
    here = desk()
    server.answers = [answer(hang_after=1000)]
    await here.ensure()
    await happened(server.hanging)
    await here.downloads.cancel("tiny")
    with pytest.raises(errors.DownloadNotFound):
        await here.downloads.cancel("tiny")
    await here.downloads.cancel("tiny", discard=True)
    assert here.info.received_bytes == 0
    with pytest.raises(errors.DownloadNotFound):
        await here.downloads.cancel("tiny", discard=True)


async def test_a_wrong_digest_is_told_and_nothing_of_it_is_left(desk: Make, server: Any, answer: Any) -> None:
    here = desk()
    server.answers = [answer(body=bytes(len(server.body)))]
    await here.ensure()
    last = await here.ended()
    assert last.state == "error"
    assert last.error is not None
    assert last.error.code == "CHECKSUM_MISMATCH"
    assert here.info.error == last.error
    assert (here.work.visible, here.info.received_bytes) == ([], 0)
    server.answers = [answer()]
    here.told.clear()
    await here.ensure()
    assert (await here.ended()).state == "ready"
    assert here.info.error is None


async def test_what_is_here_is_verified_again(desk: Make, tiny: Path) -> None:
    here = desk()
    here.work.store.import_file(tiny)
    await here.downloads.verify("tiny")
    assert here.info.state == "verifying"
    assert (await here.ended()).state == "ready"
    file = here.work.folder / "tiny" / "tiny.gguf"
    file.write_bytes(bytes(file.stat().st_size))
    here.told.clear()
    await here.downloads.verify("tiny")
    last = await here.ended()
    assert last.error is not None
    assert (last.state, last.error.code) == ("error", "CHECKSUM_MISMATCH")


async def test_what_is_not_here_cannot_be_verified(desk: Make) -> None:
    here = desk()
    with pytest.raises(errors.ModelNotReady):
        await here.downloads.verify("tiny")
    with pytest.raises(errors.ModelNotFound):
        await here.downloads.verify("nobody")


async def test_an_import_is_told_under_a_provisional_id(desk: Make, tiny: Path, tmp_path: Path) -> None:
    here = desk()
    file = tmp_path / "from a stick.gguf"
    file.write_bytes(tiny.read_bytes())
    assert await here.downloads.import_file(ModelImportRequest(path=str(file))) == "tiny"
    assert (here.told[0].id, here.told[0].activity) == ("from-a-stick", "import")
    ends = [(event.id, event.state) for event in here.told if event.activity == ""]
    assert ends == [("from-a-stick", "idle"), ("tiny", "ready")]


async def test_a_file_that_is_no_model_is_refused_and_told(desk: Make, tmp_path: Path) -> None:
    here = desk()
    file = tmp_path / "tiny.gguf"
    file.write_text("not a model")
    with pytest.raises(errors.InvalidModel):
        await here.downloads.import_file(ModelImportRequest(path=str(file)))
    last = here.told[-1]
    assert last.error is not None
    assert (last.state, last.error.code) == ("idle", "INVALID_MODEL")
    assert here.info.error is None  # The model of that name did nothing wrong.


@pytest.mark.skipif(os.name == "nt", reason="there are no named pipes of this kind")
async def test_an_import_or_export_whose_request_goes_away_is_stopped(
    desk: Make, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk()
    stopped: list[bool] = []

    def wait_for_stop(*_: Any, cancel: Any, **__: Any) -> None:
        stopped.append(cancel.wait(PATIENCE_SECONDS))
        raise errors.Canceled

    monkeypatch.setattr(here.work.store, "import_file", wait_for_stop)
    monkeypatch.setattr(here.work.store, "export", wait_for_stop)
    works: list[Awaitable[Any]] = [
        here.downloads.import_file(ModelImportRequest(path=str(tiny), id="one")),
        here.downloads.export(ModelExportRequest(id="two", path=str(tmp_path))),
    ]
    for work in works:
        count = len(here.told)
        task = asyncio.ensure_future(work)
        await here.until(lambda _, count=count: len(here.told) > count)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await here.ended()
    assert stopped == [True, True]


async def test_one_thing_at_a_time_is_under_way_with_a_model(
    desk: Make, server: Any, answer: Any, tiny: Path
) -> None:
    here = desk()
    server.answers = [answer(hang_after=1000)]
    await here.ensure()
    await happened(server.hanging)
    with pytest.raises(errors.ModelInUse, match="downloaded"):
        await here.downloads.import_file(ModelImportRequest(path=str(tiny), id="tiny"))
    await here.downloads.cancel("tiny", discard=True)


async def test_the_end_of_the_service_keeps_the_part(desk: Make, server: Any, answer: Any) -> None:
    here = desk()
    server.answers = [answer(hang_after=len(server.body) // 2)]
    await here.ensure()
    await here.half(server)
    await here.downloads.close()
    assert here.work.store.received_bytes("tiny") > 0
