"""Downloads over real sockets, from a server that misbehaves."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from jupyter_localcoder import errors
from tests.support.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize("percent", [1, 50, 99])
def test_a_dropped_connection_is_gone_on_from(bench, server, url_source, answer, percent):
    cut = len(server.body) * percent // 100
    server.answers = [answer(cut_after=cut), answer()]
    model = bench(url_source(server)).fetch()
    assert model.path.read_bytes() == server.body
    assert server.requests[1]["range"] == f"bytes={cut}-"
    assert server.requests[1]["if-range"] == '"one"'
    assert server.sent_bytes == len(server.body)


def test_an_attempt_that_failed_is_gone_on_from_later(bench, server, url_source, answer):
    cut = len(server.body) // 2
    server.answers = [answer(cut_after=cut), answer(status=404)]
    work = bench(url_source(server))
    with pytest.raises(errors.DownloadFailed):
        work.fetch()
    assert work.store.received_bytes("tiny") == cut
    assert work.store.info("tiny", 2048).received_bytes == cut
    server.answers = [answer()]
    assert work.fetch().size_bytes == len(server.body)
    assert server.sent_bytes == len(server.body)
    assert not (work.folder / "tiny" / ".download").exists()


def test_200_instead_of_206_starts_over(bench, server, url_source, answer):
    server.answers = [answer(cut_after=5000), answer(ignore_range=True)]
    assert bench(url_source(server)).fetch().path.read_bytes() == server.body


@pytest.mark.parametrize("ignore_if_range", [False, True])
def test_a_changed_etag_starts_over(bench, server, url_source, answer, ignore_if_range):
    old = bytes(len(server.body))
    server.answers = [
        answer(cut_after=5000, body=old),
        answer(etag='"two"', ignore_if_range=ignore_if_range),
    ]
    assert bench(url_source(server)).fetch().path.read_bytes() == server.body


def test_one_flipped_bit_is_never_visible(bench, server, url_source, answer):
    flipped = bytearray(server.body)
    flipped[len(flipped) // 2] ^= 1
    server.answers = [answer(body=bytes(flipped))]
    work = bench(url_source(server))
    with pytest.raises(errors.ChecksumMismatch):
        work.fetch()
    assert work.visible == []
    assert work.store.received_bytes("tiny") == 0
    assert work.store.info("tiny", 0).state == "idle"
    with pytest.raises(errors.ModelNotReady):
        work.store.locate("tiny")


def test_an_endless_body_ends_at_the_declared_size(bench, server, url_source, answer):
    server.answers = [answer(endless=True)]
    work = bench(url_source(server))
    assert work.fetch().path.stat().st_size == len(server.body)
    assert work.progress[-1].received_bytes == len(server.body)


def test_a_file_of_another_size_is_refused_at_once(bench, server, url_source, answer):
    server.answers = [answer(body=b"short")]
    with pytest.raises(errors.DownloadFailed, match="5 bytes"):
        bench(url_source(server)).fetch()


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_a_redirect_to_anything_but_http_is_refused(bench, server, url_source, answer, location):
    server.answers = [answer(status=302, location=location)]
    with pytest.raises(errors.DownloadFailed, match=r"refused|invalid"):
        bench(url_source(server)).fetch()
    assert len(server.requests) == 1


def test_redirects_in_a_circle_end(bench, server, url_source, answer):
    server.answers = [answer(status=302, location="/again")]
    with pytest.raises(errors.DownloadFailed, match="loop"):
        bench(url_source(server)).fetch()


def test_the_hub_token_does_not_go_to_another_host(bench, serve, answer, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    hub, elsewhere = serve(), serve()
    hub.answers = [answer(status=307, location=f"{elsewhere.url}/cdn")]
    work = bench({"type": "hub", "repo": "a/b", "revision": "main", "file": "tiny.gguf"}, hub_url=hub.url)
    assert work.fetch().path.read_bytes() == hub.body
    assert hub.requests[0]["path"] == "/a/b/resolve/main/tiny.gguf"
    assert hub.requests[0]["authorization"] == "Bearer hf_canary"
    assert all("hf_canary" not in str(request) for request in elsewhere.requests)


def test_credentials_of_an_address_go_to_its_host_only_and_are_never_told(
    bench, serve, answer, tmp_path: Path, caplog
):
    first, elsewhere = serve(), serve()
    first.answers = [answer(status=302, location=f"{elsewhere.url}/cdn")]
    elsewhere.answers = [answer(status=404)]
    url = first.url.replace("http://", "http://ada:canary@") + "/x?key=canary"
    with pytest.raises(errors.DownloadFailed) as caught:
        bench({"type": "url", "url": url}).fetch()
    assert first.requests[0]["authorization"].startswith("Basic ")
    assert "authorization" not in elsewhere.requests[0]
    told = str(caught.value) + str(caught.value.details) + caplog.text
    kept = "".join(path.read_text() for path in (tmp_path / "models").rglob("*.json"))
    assert "canary" not in told + kept


@pytest.mark.parametrize("status", [404, 403, 500, 429])
def test_a_source_that_fails_is_followed_by_the_next(bench, serve, url_source, answer, status):
    broken, good = serve(), serve()
    broken.answers = [answer(status=status)]
    work = bench(url_source(broken), url_source(good))
    assert work.fetch().path.read_bytes() == good.body


def test_when_all_fail_each_has_its_sentence(bench, server, url_source, answer):
    server.answers = [answer(status=404)]
    nobody = {"type": "url", "url": "http://127.0.0.1:9/none"}
    with pytest.raises(errors.DownloadFailed) as caught:
        bench(nobody, url_source(server)).fetch()
    unreachable, missing = caught.value.details["sources"]
    assert "could not be reached" in unreachable
    assert "does not have the file" in missing


def test_cancel_ends_a_read_that_waits_and_keeps_the_part(bench, server, url_source, answer):
    half = len(server.body) // 2
    server.answers = [answer(hang_after=half), answer()]
    work = bench(url_source(server))
    cancel = threading.Event()

    def cancel_when_some_has_come() -> None:
        assert server.hanging.wait(PATIENCE_SECONDS)
        while not work.store.received_bytes("tiny"):
            time.sleep(0.01)
        cancel.set()

    threading.Thread(target=cancel_when_some_has_come, daemon=True).start()
    with pytest.raises(errors.Canceled):
        work.fetch(cancel)
    assert 0 < work.store.received_bytes("tiny") <= half
    server.closing.set()
    assert work.fetch().path.read_bytes() == server.body
    assert "range" in server.requests[1]


def test_a_cancelled_download_opens_no_connection(bench, server, url_source):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(errors.Canceled):
        bench(url_source(server)).fetch(cancel)
    assert server.requests == []


def test_progress_counts_the_whole_file(bench, server, url_source):
    work = bench(url_source(server))
    work.fetch()
    assert {step.state for step in work.progress} == {"downloading", "verifying"}
    assert all(step.total_bytes == len(server.body) for step in work.progress)
    assert work.progress[-1].received_bytes == len(server.body)


def test_a_part_that_is_a_symbolic_link_is_not_followed(bench, server, url_source, tmp_path: Path):
    work = bench(url_source(server))
    victim = tmp_path / "victim"
    victim.write_text("mine")
    from jupyter_localcoder.models.download import part_of

    entry = work.store.catalogue.entries["tiny"]
    part = part_of(work.folder / "tiny" / ".download", entry, entry.sources[0])
    part.parent.mkdir(parents=True)
    part.symlink_to(victim)
    with pytest.raises(errors.FileWriteError):
        work.fetch()
    assert victim.read_text() == "mine"
