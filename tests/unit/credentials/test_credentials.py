"""Where keys are kept, and that they do not get anywhere else."""

from __future__ import annotations

import errno
import json
import logging
import os
import pickle
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.credentials import keyring_vault
from jupyter_localcoder.credentials.file_vault import FileVault, file_vault
from jupyter_localcoder.credentials.keyring_vault import KeyringVault, open_keyring, system_keyring
from jupyter_localcoder.credentials.secret import Secret
from jupyter_localcoder.credentials.store import NOBODY, Credentials, KeyLookup, Owner
from jupyter_localcoder.credentials.vault import VaultError, seal, unseal
from jupyter_localcoder.engine.process import worker_environment
from jupyter_localcoder.errors import DiskFull, EncryptionUnavailable
from tests.support import no_files
from tests.support.waiting import PATIENCE_SECONDS

CANARY = "sk-canary-0123456789abcdef"
LOG = logging.getLogger("test-credentials")
OWNER = Owner("acme-1", "https://api.example.com", ("ACME_API_KEY",))


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring or a lock is not given up because the machine is busy."""
    monkeypatch.setattr(keyring_vault, "PROBE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(KeyringVault._call, "__defaults__", (PATIENCE_SECONDS,))
    monkeypatch.setattr("jupyter_localcoder.credentials.file_vault.LOCK_SECONDS", PATIENCE_SECONDS)


class MemoryKeyring:
    """Behaves as the backends of the package `keyring` do."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


class LockedKeyring(MemoryKeyring):
    def get_password(self, service: str, name: str) -> str | None:
        raise RuntimeError(f"locked, and {CANARY} is in it")

    set_password = get_password  # type: ignore[assignment]


def credentials(
    folder: Path, *, keyring: Any = None, environment: dict[str, str] | None = None, file: bool = True
) -> Credentials:
    return Credentials(
        folder / "data",
        {} if environment is None else environment,
        LOG,
        open_keyring=lambda: open_keyring(lambda: keyring),
        open_file=file_vault if file else lambda _: None,
    )


def key_of(found: KeyLookup) -> str | None:
    return found.secret.reveal() if found.secret else None


def test_a_secret_shows_itself_to_who_asks_only():
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    assert "canary" not in f"{secret!r} {secret} {[secret]} {vars(type(secret))}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_key_is_given_out_for_its_own_address_only():
    sealed = seal(Secret(CANARY), "https://a")
    assert unseal(sealed, "https://a").reveal() == CANARY
    assert unseal(sealed, "https://evil") is None
    assert unseal(sealed, "http://a") is None
    with pytest.raises(VaultError, match=r"enter (it|the key) again"):
        unseal(Secret("garbage"), "https://a")


def test_the_keyring_comes_first(tmp_path):
    keyring = MemoryKeyring()
    kept = credentials(tmp_path, keyring=keyring)
    assert kept.storage()[0] == "keyring"
    assert kept.keep(OWNER, Secret(CANARY), lasting=True) == "keyring"
    later = credentials(tmp_path, keyring=keyring)
    assert later.place(OWNER, "keyring") == "keyring"
    assert key_of(found := later.find(OWNER, "keyring")) == CANARY
    assert found.place == "keyring"
    assert not (tmp_path / "data").exists()
    later.forget(OWNER.id)
    assert keyring.kept == {}
    assert "is missing: enter it again" in later.find(OWNER, "keyring").problem


@pytest.mark.parametrize("keyring", [None, LockedKeyring()])
def test_without_a_keyring_an_encrypted_file_is(tmp_path, keyring, caplog):
    kept = credentials(tmp_path, keyring=keyring)
    place, note = kept.storage()
    assert place == "file"
    assert "encrypted with a key in the same folder" in note
    assert kept.keep(OWNER, Secret(CANARY), lasting=True) == "file"
    assert key_of(credentials(tmp_path).find(OWNER, "file")) == CANARY
    for path in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert b"canary" not in path.read_bytes()
        assert b"api.example.com" not in path.read_bytes()
    assert "canary" not in caplog.text
    kept.forget(OWNER.id)
    assert json.loads((tmp_path / "data" / "credentials.json").read_text())["keys"] == {}


def test_without_both_a_key_lasts_as_long_as_the_process(tmp_path):
    kept = credentials(tmp_path, file=False)
    place, note = kept.storage()
    assert (place, "pip install 'jupyter_localcoder[keys]'" in note) == ("session", True)
    assert kept.keep(OWNER, Secret(CANARY), lasting=True) is None
    assert (kept.place(OWNER, None), key_of(kept.find(OWNER, None))) == ("session", CANARY)
    assert credentials(tmp_path, file=False).find(OWNER, None) == KeyLookup()
    kept.forget(OWNER.id)
    assert kept.find(OWNER, None) == KeyLookup()
    assert list(tmp_path.iterdir()) == []


def test_a_key_for_the_session_takes_the_place_of_one_that_lasts(tmp_path):
    keyring = MemoryKeyring()
    kept = credentials(tmp_path, keyring=keyring)
    kept.keep(OWNER, Secret("old-key"), lasting=True)
    assert kept.keep(OWNER, Secret(CANARY), lasting=False) is None
    assert keyring.kept == {}
    assert key_of(kept.find(OWNER, None)) == CANARY
    kept.keep(OWNER, Secret("new-key"), lasting=True)
    assert key_of(kept.find(OWNER, "keyring")) == "new-key"


def test_the_environment_wins(tmp_path):
    environment: dict[str, str] = {}
    kept = credentials(tmp_path, keyring=MemoryKeyring(), environment=environment)
    kept.keep(OWNER, Secret("kept"), lasting=True)
    assert kept.place(OWNER, "keyring") == "keyring"
    environment["ACME_API_KEY"] = " of-the-vendor\n"
    assert key_of(kept.find(OWNER, "keyring")) == "of-the-vendor"
    environment["LOCALCODER_PROVIDER_ACME_1_KEY"] = CANARY
    assert (kept.place(OWNER, "keyring"), key_of(kept.find(OWNER, "keyring"))) == ("environment", CANARY)
    environment.update(LOCALCODER_PROVIDER_ACME_1_KEY=" ", ACME_API_KEY="")
    assert key_of(kept.find(OWNER, "keyring")) == "kept"


@pytest.mark.parametrize(
    ("said", "goes"),
    [
        ("https://acme.example", True),
        ("HTTPS://Acme.Example:443/v1/?x", True),
        ("https://user@acme.example/", True),
        ("http://acme.example", False),
        ("https://acme.example:8443", False),
        ("https://acme.example.evil.example", False),
        ("https://evil.example/https://acme.example", False),
        ("https://acme.example@evil.example", False),
        ("acme.example", False),
        ("https://acme.example:x", False),
        ("https://[", False),
        ("*", False),
        ("-", False),
    ],
)
def test_the_environment_says_for_which_origin_its_key_is(tmp_path, said, goes):
    environment = {
        "LOCALCODER_PROVIDER_ACME_KEY": CANARY,
        "LOCALCODER_PROVIDER_ACME_ORIGIN": said,
    }
    store = credentials(tmp_path, environment=environment)
    for trusted in ("", "https://acme.example", "https://other.example", NOBODY):
        found = store.find(Owner("acme", "https://acme.example", trusted=trusted), None)
        assert (found.place, key_of(found)) == (("environment", CANARY) if goes else ("none", None))
        assert goes or "LOCALCODER_PROVIDER_ACME_ORIGIN" in found.problem
        assert CANARY not in found.problem


def test_a_vendors_key_goes_to_the_vendor_whoever_added_the_provider(tmp_path):
    store = credentials(tmp_path, environment={"OPENAI_API_KEY": CANARY})
    owner = Owner("mine", "https://api.openai.com", ("OPENAI_API_KEY",), NOBODY)
    assert key_of(store.find(owner, None)) == CANARY
    own = credentials(tmp_path, environment={"OPENAI_API_KEY": CANARY, owner.own_variable: "another"})
    assert key_of(own.find(owner, None)) is None


def test_another_address_gets_no_key(tmp_path):
    kept = credentials(tmp_path, keyring=MemoryKeyring())
    kept.keep(OWNER, Secret(CANARY), lasting=True)
    moved = Owner(OWNER.id, "https://evil.example")
    found = kept.find(moved, "keyring")
    assert (found.secret, found.problem) == (
        None,
        "The stored key is for another address: enter the key again.",
    )


# The file


@pytest.fixture
def vault(tmp_path) -> FileVault:
    vault = FileVault(tmp_path / "data")
    vault.put("a", Secret(CANARY))
    return vault


@pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_file_that_others_can_read_is_refused(vault, tmp_path, mode):
    vault.key_path.chmod(mode)
    for use in (lambda: vault.get("a"), lambda: vault.put("b", Secret("x")), vault.check):
        with pytest.raises(VaultError, match="can be read by other users and was not used"):
            use()
    kept = credentials(tmp_path)
    place, note = kept.storage()
    assert (place, "can be read by other users" in note) == ("session", True)
    with pytest.raises(EncryptionUnavailable, match=r"The key was not saved\. .*can be read by other users"):
        kept.keep(OWNER, Secret(CANARY), lasting=True)
    assert kept.find(OWNER, None) == KeyLookup(), "it was kept in the session without a word"
    assert kept.keep(OWNER, Secret(CANARY), lasting=False) is None


def test_the_wrong_key_asks_to_enter_it_again(vault):
    from cryptography.fernet import Fernet

    vault.key_path.write_bytes(Fernet.generate_key())
    with pytest.raises(VaultError, match=r"cannot be decrypted with .*: enter the key again"):
        vault.get("a")
    vault.put("b", Secret("x"))
    assert vault.get("b").reveal() == "x"
    vault.key_path.unlink()
    with pytest.raises(VaultError, match=r"is missing.*: enter the key again"):
        vault.get("b")
    vault.put("a", Secret(CANARY))
    assert vault.get("a").reveal() == CANARY


@pytest.mark.parametrize("raw", [b"", b"short", b"\xff" * 44])
def test_a_key_file_without_a_key(vault, raw):
    vault.key_path.write_bytes(raw)
    with pytest.raises(VaultError, match=r"enter (it|the key) again"):
        vault.get("a")
    with pytest.raises(VaultError, match="contains no encryption key"):
        vault.put("a", Secret(CANARY))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{", "is damaged"),
        (b"\xff", "is damaged"),
        (b"[]", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b'{"format": 2}', "a newer version"),
    ],
)
def test_a_damaged_or_newer_file_is_left_alone(vault, raw, why):
    vault.path.write_bytes(raw)
    for use in (lambda: vault.get("a"), lambda: vault.put("b", Secret("x")), lambda: vault.delete("a")):
        with pytest.raises(VaultError, match=why):
            use()
    assert vault.path.read_bytes() == raw


def test_a_key_file_that_is_a_link_or_a_folder_is_refused(vault, tmp_path):
    vault.key_path.rename(tmp_path / "elsewhere")
    vault.key_path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultError, match="cannot be read, or is a link"):
        vault.get("a")
    vault.key_path.unlink()
    vault.key_path.mkdir(mode=0o700)
    with pytest.raises(VaultError, match="is not a regular file"):
        vault.get("a")


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(VaultError, match=r"cannot be (read|written)"):
        FileVault(tmp_path / "data").put("a", Secret(CANARY))


def test_many_write_at_once_and_nothing_is_lost(tmp_path):
    vaults = [FileVault(tmp_path / "data") for _ in range(8)]
    threads = [
        threading.Thread(target=vault.put, args=(f"id-{n}", Secret(f"key-{n}")))
        for n, vault in enumerate(vaults)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [vaults[0].get(f"id-{n}").reveal() for n in range(8)] == [f"key-{n}" for n in range(8)]


# The keyring


def test_a_keyring_that_fails_says_what_and_not_its_words():
    vault = KeyringVault(LockedKeyring())
    assert not vault.works()
    with pytest.raises(VaultError, match=r"cannot be used \(RuntimeError\)") as caught:
        vault.get("a")
    assert "canary" not in str(caught.value)


def test_a_keyring_that_never_answers_is_asked_once(monkeypatch):
    class Silent(MemoryKeyring):
        def get_password(self, service: str, name: str) -> str | None:
            asked.append(name)
            begun.set()
            released.wait()
            return None

    asked: list[str] = []
    begun, released = threading.Event(), threading.Event()
    monkeypatch.setattr(keyring_vault, "PROBE_SECONDS", 0.05)
    vault = KeyringVault(Silent())
    try:
        with pytest.raises(VaultError, match=r"no answer within 0\.05 seconds"):
            vault._call(lambda: vault._backend.get_password("s", "a"), 0.05)
        with pytest.raises(VaultError, match="tried again after a restart"):
            vault.get("a")
        assert begun.wait(PATIENCE_SECONDS)
        assert asked == ["a"]
    finally:
        released.set()


def test_a_keyring_that_writes_into_a_plain_file_is_none(monkeypatch):
    import keyring
    from keyring.backends import chainer, fail

    class Plaintext(MemoryKeyring):
        priority = 9

    class Real(MemoryKeyring):
        priority = 5

    Plaintext.__module__ = "keyrings.alt.file"
    Real.__module__ = "keyring.backends.SecretService"
    for found, expected in ((Plaintext(), None), (fail.Keyring(), None), (real := Real(), real)):
        monkeypatch.setattr(keyring, "get_keyring", lambda found=found: found)
        assert system_keyring() is expected
    chain = chainer.ChainerBackend()
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [Plaintext(), real])
    monkeypatch.setattr(keyring, "get_keyring", lambda: chain)
    assert system_keyring() is real

    def broken() -> Any:
        raise RuntimeError

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert system_keyring() is None


def test_no_worker_gets_a_key(monkeypatch):
    names = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", OWNER.own_variable)
    for name in names:
        monkeypatch.setenv(name, CANARY)
    assert CANARY not in worker_environment().values()


@pytest.mark.parametrize("number", [errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)])
def test_a_full_disk_is_the_same_error_as_everywhere(vault, monkeypatch, number):
    vault.put("a", Secret(CANARY))

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            vault.put("b", Secret("x"))
    assert vault.get("a").reveal() == CANARY


def test_what_a_killed_writer_left_is_swept(vault):
    vault.put("a", Secret(CANARY))
    for path in (vault.path, vault.key_path):
        path.with_name(f".{path.name}.0123abcd").touch()
    vault.put("b", Secret("x"))
    assert not [one for one in vault.path.parent.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize("kind", ["pipe", "zeros", "loop", "folder"])
def test_what_is_no_file_is_refused_at_once(vault, kind):
    no_files.put(kind, vault.path)
    with pytest.raises(VaultError):
        vault.get("a")
