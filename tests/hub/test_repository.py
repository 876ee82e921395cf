"""What a repository has, who may see it, and what comes of it without a connection."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from bayling_lite.errors import ChecksumMismatch, HubError, ModelNotFound, UsageError
from bayling_lite.hub import Hub, RemoteFile
from bayling_lite.hub.cache import SharedCache
from benchmarks.loopback_hub import Fault, LoopbackHub, git_blob_id
from tests.hub.conftest import QUICK, MakeHub, use_endpoint

LARGE = random.Random(7).randbytes(3_000_000)
SMALL = b'{"model_type": "llama"}'
FILES = {"config.json": SMALL, "model.safetensors": LARGE, "onnx/model.onnx": b"x"}


def test_files_with_sizes_and_digests(server: LoopbackHub, hub: Hub) -> None:
    commit = server.add("owner/name", FILES)
    repository = hub.repository("owner/name")
    assert (repository.id, repository.commit, repository.offline) == ("owner/name", commit, False)
    assert repository.url == f"{server.endpoint}/owner/name/tree/{commit}"
    assert repository.files == {
        "config.json": RemoteFile(len(SMALL), git_id=git_blob_id(SMALL)),
        "model.safetensors": RemoteFile(len(LARGE), sha256=hashlib.sha256(LARGE).hexdigest()),
        "onnx/model.onnx": RemoteFile(1, git_id=git_blob_id(b"x")),
    }


def test_a_branch_a_tag_and_a_commit(server: LoopbackHub, hub: Hub) -> None:
    old = server.add("owner/name", {"a": b"old"}, revision="v1")
    new = server.add("owner/name", {"a": b"new"})
    for revision, commit, content in (
        (None, new, b"new"),
        ("main", new, b"new"),
        ("v1", old, b"old"),
        (old, old, b"old"),
    ):
        repository = hub.repository("owner/name", revision)
        assert (repository.commit, repository.read("a", 10)) == (commit, content)


def test_the_endpoint_is_huggingface_hubs_unless_another_is_named(
    server: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add("owner/name", FILES)
    use_endpoint(monkeypatch, server.endpoint)
    assert Hub(patience=QUICK).repository("owner/name").read("config.json", 100) == SMALL


def test_a_small_file_is_checked(server: LoopbackHub, hub: Hub) -> None:
    server.add("owner/name", FILES)
    repository = hub.repository("owner/name")
    assert repository.read("config.json", 100) == SMALL
    server.inject("config.json", Fault("flip"))
    with pytest.raises(ChecksumMismatch, match="again"):
        repository.read("config.json", 100)
    with pytest.raises(HubError, match="at most 10"):
        repository.read("config.json", 10)


def test_a_file_is_read_here_and_there_by_ranges(server: LoopbackHub, hub: Hub) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.pkl", b"pickle")
        archive.writestr("data/0", LARGE)
    server.add("owner/name", {"pytorch_model.bin": packed.getvalue(), "model.safetensors": LARGE})
    repository = hub.repository("owner/name")
    with repository.open("pytorch_model.bin") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("data.pkl") == b"pickle"
    assert server.sent["pytorch_model.bin"] < 2_500_000
    with repository.open("model.safetensors") as file:
        assert file.read(8) == LARGE[:8]
        assert file.seek(-5, io.SEEK_END) == len(LARGE) - 5
        assert file.read() == LARGE[-5:]
        assert file.read() == b""
        file.seek(1_234_567)
        assert file.read(1_500_000) == LARGE[1_234_567:2_734_567]
        with pytest.raises(OSError, match="before the beginning"):
            file.seek(-1)


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("truncate", 100), Fault("status", status=500)],
        [Fault("shift"), Fault("whole")],
        [Fault("status", status=429, retry_after="0")],
    ],
)
def test_reading_survives_faults(server: LoopbackHub, hub: Hub, faults: list[Fault]) -> None:
    server.add("owner/name", FILES)
    server.inject("model.safetensors", *faults)
    with hub.repository("owner/name").open("model.safetensors") as file:
        file.seek(1_000_000)
        assert file.read(10) == LARGE[1_000_000:1_000_010]


def test_a_gated_repository_says_where_to_accept_its_licence(server: LoopbackHub, make_hub: MakeHub) -> None:
    server.add("owner/name", FILES, access="gated")
    for name in ("config.json", "model.safetensors"):
        with pytest.raises(
            HubError, match=rf"accept its licence: do so at {server.endpoint}/owner/name.*hf auth login"
        ):
            make_hub().repository("owner/name").open(name).read(1)
    assert make_hub(token=server.token).repository("owner/name").read("config.json", 100) == SMALL


def test_a_stored_token_counts_and_goes_to_the_hub_only(
    server: LoopbackHub, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add("owner/name", FILES, access="private")
    with pytest.raises(HubError, match=r"no repository .* or it is private"):
        hub.repository("owner/name")
    (tmp_path / "token").write_text(server.token)
    hub.repository("owner/name").download("model.safetensors", tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubError, match="private"):
        hub.repository("owner/name")
    of_the_storage = [seen for seen in server.seen if seen.path.startswith("/storage/")]
    assert of_the_storage
    assert {seen.authorization for seen in of_the_storage} == {None}


@pytest.mark.parametrize(
    ("name", "revision", "said"),
    [("owner/none", None, "no repository"), ("owner/name", "v9", "no revision 'v9'")],
)
def test_what_is_not_there(server: LoopbackHub, hub: Hub, name: str, revision: str | None, said: str) -> None:
    server.add("owner/name", FILES)
    with pytest.raises(HubError, match=said):
        hub.repository(name, revision)


def test_a_file_that_is_not_there(server: LoopbackHub, hub: Hub, tmp_path: Path) -> None:
    server.add("owner/name", FILES)
    repository = hub.repository("owner/name")
    with pytest.raises(HubError, match=r"no file model\.bin"):
        repository.download("model.bin", tmp_path)
    with pytest.raises(HubError, match="lead out"):
        repository.read("../config.json", 10)


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a\\..\\evil", "ev\x1bil"])
def test_names_that_lead_out_of_the_folder_are_not_taken(
    server: LoopbackHub, hub: Hub, tmp_path: Path, name: str
) -> None:
    server.add("owner/name", {name: LARGE, "good.bin": LARGE})
    repository = hub.repository("owner/name")
    assert set(repository.files) == {"good.bin"}
    with pytest.raises(HubError, match="lead out of a folder"):
        repository.download(name, tmp_path / "folder")


@pytest.mark.parametrize("name", ["name", "a/b/c", "owner/..", "owner/na me"])
def test_a_bad_name_is_a_slip_of_the_caller(hub: Hub, name: str) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        hub.repository(name)


def test_a_page_in_between_is_recognised(server: LoopbackHub, hub: Hub) -> None:
    server.broken = "<html>Welcome to our hotel. Please log in.</html>"
    with pytest.raises(HubError, match="does not answer as a hub"):
        hub.repository("owner/name")
    server.broken = '{"id": "owner/name", "siblings": [{}]}'
    with pytest.raises(HubError, match="does not answer as a hub"):
        hub.repository("owner/name")
    server.broken = '{"id": "owner/name", "sha": "../../evil", "siblings": []}'
    with pytest.raises(HubError, match="which commit"):
        hub.repository("owner/name")


def test_a_listing_that_is_late_is_waited_for(server: LoopbackHub, hub: Hub) -> None:
    server.add("owner/name", FILES)
    server.inject("owner/name/", Fault("status", status=503), Fault("status", status=429, retry_after="0"))
    assert "config.json" in hub.repository("owner/name").files
    server.always["owner/name/"] = Fault("status", status=500)
    with pytest.raises(HubError, match=r"answers 500.*run the same command again later"):
        hub.repository("owner/name")


def test_no_connection_names_the_remedy() -> None:
    with pytest.raises(HubError, match="HF_ENDPOINT or the proxy"):
        Hub("http://127.0.0.1:9", patience=QUICK).repository("owner/name")


def kept(server: LoopbackHub, hub: Hub, tmp_path: Path, *names: str) -> None:
    server.add("owner/name", FILES)
    repository = hub.repository("owner/name")
    for name in names:
        repository.keep(name, repository.download(name, tmp_path / "fetched"))


def test_what_is_kept_huggingface_hub_finds(server: LoopbackHub, hub: Hub, tmp_path: Path) -> None:
    kept(server, hub, tmp_path, "config.json", "model.safetensors")
    repository = hub.repository("owner/name")
    assert not any((tmp_path / "fetched").iterdir())
    path = repository.cached("model.safetensors")
    assert path is not None
    assert path.read_bytes() == LARGE
    assert repository.cached("onnx/model.onnx") is None
    before = len(server.seen)
    found = huggingface_hub.hf_hub_download("owner/name", "model.safetensors", local_files_only=True)
    assert Path(found) == path
    assert len(server.seen) == before
    sent = dict(server.sent)
    huggingface_hub.hf_hub_download("owner/name", "config.json", endpoint=server.endpoint)
    assert repository.read("config.json", 100) == SMALL
    with repository.open("model.safetensors") as file:
        assert file.read() == LARGE
    assert server.sent == sent
    scanned = huggingface_hub.scan_cache_dir(tmp_path / "shared-cache")
    (cached,) = scanned.repos
    assert (cached.repo_id, cached.nb_files, list(cached.refs)) == ("owner/name", 2, ["main"])
    assert not scanned.warnings


def test_another_program_finds_the_file_while_it_is_kept_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, commit, digest = SharedCache(tmp_path / "cache"), "a" * 40, "b" * 40
    pointer = tmp_path / "cache" / "models--owner--name" / "snapshots" / commit / "config.json"
    seen: list[bytes] = []
    link = Path.symlink_to

    def watched(path: Path, place: str) -> None:
        if len(seen) == 1:  # another program makes the same link just now
            seen.append(pointer.read_bytes())
        link(path, place)

    monkeypatch.setattr(Path, "symlink_to", watched)
    for _ in range(2):
        (tmp_path / "fetched").write_bytes(b"content")
        cache.add(tmp_path / "fetched", "owner/name", "config.json", commit=commit, revision=None, digest=digest)
        seen.append(pointer.read_bytes())
    assert seen == [b"content"] * 3
    assert pointer.is_symlink()
    assert list(pointer.parent.iterdir()) == [pointer]


def test_a_mirrors_password_does_not_get_into_files(server: LoopbackHub) -> None:
    server.add("owner/name", FILES)
    repository = Hub(server.endpoint.replace("//", "//user:secret@"), patience=QUICK).repository("owner/name")
    assert repository.url == f"{server.endpoint}/owner/name/tree/{repository.commit}"
    assert repository.read("config.json", 100) == SMALL


def test_what_huggingface_hub_fetched_we_find(server: LoopbackHub, hub: Hub) -> None:
    server.add("owner/name", FILES)
    huggingface_hub.hf_hub_download("owner/name", "onnx/model.onnx", endpoint=server.endpoint)
    path = hub.repository("owner/name").cached("onnx/model.onnx")
    assert path is not None
    assert path.read_bytes() == b"x"


def test_offline_the_shared_cache_answers(server: LoopbackHub, hub: Hub, make_hub: MakeHub, tmp_path: Path) -> None:
    kept(server, hub, tmp_path, "config.json", "model.safetensors")
    online = hub.repository("owner/name")
    before = len(server.seen)
    for revision in (None, "main", online.commit):
        repository = make_hub(offline=True).repository("owner/name", revision)
        assert (repository.commit, repository.offline) == (online.commit, True)
        assert repository.files == {name: online.files[name] for name in ("config.json", "model.safetensors")}
        assert repository.read("config.json", 100) == SMALL
    for use in (lambda: repository.read("onnx/model.onnx", 10), lambda: repository.open("tokenizer.model")):
        with pytest.raises(ModelNotFound, match="hf download owner/name") as caught:
            use()
        assert caught.value.exit_status == 4
    for name, revision in (("owner/other", None), ("owner/name", "v2")):
        with pytest.raises(ModelNotFound, match=f"{name} at .* Where there is a connection, run the same command"):
            make_hub(offline=True).repository(name, revision)
    assert len(server.seen) == before


def test_huggingface_hubs_offline_mode_counts(
    server: LoopbackHub, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(server, hub, tmp_path, "config.json")
    repository = hub.repository("owner/name")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub.repository("owner/name").offline
    with pytest.raises(ModelNotFound, match="nothing may be fetched offline"):
        repository.download("model.safetensors", tmp_path)


def test_without_a_connection_the_shared_cache_answers(server: LoopbackHub, hub: Hub, tmp_path: Path) -> None:
    kept(server, hub, tmp_path, "config.json")
    repository = Hub("http://127.0.0.1:9", patience=QUICK).repository("owner/name")
    assert repository.offline
    assert repository.read("config.json", 100) == SMALL
    server.always["owner/name/"] = Fault("status", status=502)
    assert hub.repository("owner/name").offline
    server.always.clear()
    server.add("owner/name", FILES, access="private")
    with pytest.raises(HubError, match="private"):
        hub.repository("owner/name")


def test_a_cache_without_links_is_used_as_well(
    server: LoopbackHub, hub: Hub, make_hub: MakeHub, tmp_path: Path
) -> None:
    kept(server, hub, tmp_path, "config.json")
    repository = hub.repository("owner/name")
    path = repository.cached("config.json")
    assert path is not None
    path.resolve().replace(path)
    assert repository.read("config.json", 100) == SMALL
    assert make_hub(offline=True).repository("owner/name").read("config.json", 100) == SMALL
