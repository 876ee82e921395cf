"""``bayling models pull`` from a hub on this machine: checkpoints, ready-made files, and what can go wrong."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import filelock
import huggingface_hub
import pytest
import torch
from safetensors.torch import save

from bayling_lite.gguf_file import read_header
from bayling_lite.registry import Record, read_record, write_record
from benchmarks.loopback_hub import Fault, LoopbackHub
from tests.cli.conftest import Run
from tests.convert.small_checkpoints import CONFIG, random_tensors, train_tokenizer

SMALL = CONFIG | {"num_hidden_layers": 1, "intermediate_size": 256, "torch_dtype": "float16"}
CARD = b"---\nlicense: apache-2.0\nlanguage:\n- en\n---\n# A model\n"


class Usage(NamedTuple):
    """What ``shutil.disk_usage`` gives."""

    total: int
    used: int
    free: int


def checkpoint(tensors: dict[str, torch.Tensor] | None = None, **more: bytes) -> dict[str, bytes]:
    """The files of a LLaMA checkpoint with random weights."""
    return {
        "config.json": json.dumps(SMALL).encode(),
        "tokenizer.model": train_tokenizer(),
        "model.safetensors": save(random_tensors(SMALL, torch.float16) if tensors is None else tensors),
        "README.md": CARD,
        **more,
    }


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The models folder, which does not exist yet."""
    monkeypatch.setenv("BAYLING_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def contents(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_checkpoint_of_the_catalogue_from_pull_to_rm(server: LoopbackHub, folder: Path, run: Run) -> None:
    commit = server.add("ICTNLP/bayling-2-7b", checkpoint())
    status, out, said = run("pull", "bayling-2-7b")
    assert (status, out) == (0, ""), said
    assert said.index("Llama 2 Community License") < said.index("Wrote ")
    assert "--model bayling-2-7b" in said
    path = folder / "bayling-2-7b.Q4_K_M.gguf"
    assert contents(folder) == [path.name, f"{path.name}.json"]
    header = read_header(path)
    assert header.text("bayling.template") == "bayling"
    assert header.texts("bayling.languages") == ("en", "zh")
    assert header.text("general.license") == "Llama 2 Community License"
    record = read_record(path)
    assert record is not None
    assert (record.source, record.revision, record.type) == ("hf://ICTNLP/bayling-2-7b", commit, "Q4_K_M")
    assert (record.size, record.file) == (path.stat().st_size, None)

    asked = len(server.seen)
    status, _, said = run("pull", "ictnlp/bayling-2-7b:Q4_K_M")
    assert (status, len(server.seen)) == (0, asked)
    assert "is here already" in said
    assert run("path", "bayling-2-7b")[1] == f"{path}\n"
    assert "bayling-2-7b  " in run("list")[1].partition("\n\n")[0]
    assert run("verify", "bayling-2-7b")[0] == 0
    with path.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"damage")
    status, out, _ = run("verify", "bayling-2-7b")
    assert status == 5
    remedy = shlex.split(out.partition("Fetch it again: bayling models ")[2])
    assert remedy == ["pull", "hf://ICTNLP/bayling-2-7b", "--revision", commit, "--type", "Q4_K_M", "--force"]
    assert run(*remedy, "-q") == (0, "", "")
    assert run("verify", "-q") == (0, "", "")
    assert run("rm", "bayling-2-7b", "--yes")[0] == 0
    assert contents(folder) == []


@pytest.mark.slow
def test_any_checkpoint_in_another_type(server: LoopbackHub, folder: Path, run: Run) -> None:
    server.add("some/tiny", checkpoint())
    status, _, said = run("pull", "some/tiny:q8_0")
    assert status == 0, said
    assert "Licence: apache-2.0" in said
    path = folder / "some" / "tiny" / "tiny.Q8_0.gguf"
    assert read_header(path).number("general.file_type") == 7
    assert run("path", "some/tiny")[1] == f"{path}\n"


def test_a_ready_made_file_is_chosen_by_its_type(
    server: LoopbackHub, folder: Path, run: Run, random_model: Path
) -> None:
    model = random_model.read_bytes()
    files = {"tiny-Q8_0.gguf": model, "tiny-q5_k_m.gguf": model + b"5", "mmproj-Q8_0.gguf": b"x", "README.md": CARD}
    commit = server.add("some/tiny-GGUF", files)
    status, _, said = run("pull", "some/tiny-GGUF")
    assert status == 2
    assert "no GGUF file of the type Q4_K_M. It has: Q5_K_M (" in said
    assert run("pull", "some/tiny-GGUF:Q8_0")[0] == 0
    path = folder / "some" / "tiny-GGUF" / "tiny-Q8_0.gguf"
    assert path.read_bytes() == model
    record = read_record(path)
    assert record is not None
    assert (record.file, record.revision, record.licence) == ("tiny-Q8_0.gguf", commit, "apache-2.0")
    assert server.sent["tiny-q5_k_m.gguf"] == server.sent["mmproj-Q8_0.gguf"] == 0
    assert run("verify", "some/tiny-GGUF")[0] == 0


def test_the_only_file_is_taken_whatever_its_type(
    server: LoopbackHub, folder: Path, run: Run, random_model: Path
) -> None:
    server.add("some/one", {"one.BF16.gguf": random_model.read_bytes(), "imatrix.gguf": b"x"})
    assert run("pull", "some/one")[0] == 0
    assert contents(folder) == ["some/one/one.BF16.gguf", "some/one/one.BF16.gguf.json"]
    assert "is here already" in run("pull", "some/one")[2]


def test_the_type_may_stand_in_the_name_of_a_folder(
    server: LoopbackHub, folder: Path, run: Run, random_model: Path
) -> None:
    server.add("some/one", {f"{kind}/model.gguf": random_model.read_bytes() for kind in ("Q8_0", "BF16")})
    assert run("pull", "some/one:Q8_0")[0] == run("pull", "some/one:BF16")[0] == 0
    assert [name for name in contents(folder) if name.endswith(".gguf")] == [
        "some/one/model.BF16.gguf",
        "some/one/model.Q8_0.gguf",
    ]
    assert run("verify", "some/one")[0] == 0


@pytest.mark.parametrize(
    ("files", "asked", "said"),
    [
        (["a-Q4_K_M-00001-of-00002.gguf", "a-Q4_K_M-00002-of-00002.gguf", "a-Q8_0.gguf"], "", "only cut into several"),
        (["a-Q4_K_M.gguf", "b-Q4_K_M.gguf"], "", "has several models as Q4_K_M: a-Q4_K_M.gguf, b-Q4_K_M.gguf"),
        (["a-Q4_K_M.gguf"], ":Q2_K", "no GGUF file of the type Q2_K. It has: Q4_K_M"),
    ],
)
def test_files_that_cannot_be_chosen(
    server: LoopbackHub, folder: Path, run: Run, files: list[str], asked: str, said: str
) -> None:
    server.add("some/many", dict.fromkeys(files, b"GGUF"))
    status, _, text = run("pull", f"some/many{asked}")
    assert status == 2
    assert said in text
    assert not any(server.sent[name] for name in files)
    assert not folder.exists()


def test_what_cannot_be_had(server: LoopbackHub, folder: Path, run: Run) -> None:
    server.add("some/gated", checkpoint(), access="gated")
    server.add("some/data", {"data.csv": b"1,2"})
    for name, status, said in (
        ("some/gated", 1, "accept its licence"),
        ("some/none", 1, "There is no repository"),
        ("some/data", 1, "neither a GGUF file nor a checkpoint"),
        ("nonsense", 4, "There is no model 'nonsense'"),
        ("some/model:latest!", 2, "a quantization is wanted after the colon"),
        ("bayling-tiny", 0, "ships with bayling-lite"),
        ("bayling-tiny:Q8_0", 4, "as Q4_K_M only"),
    ):
        got = run("pull", name)
        assert got[0] == status, got
        assert said in got[2]
    assert run("pull", "some/data:Q8_0", "--type", "Q4_0")[0] == 2
    assert "a whole checkpoint" in run("pull", "bayling-2-7b", "--base", "some/base")[2]
    server.add("some/tiny", checkpoint())
    assert "Unknown type 'Q3_K_M'" in run("pull", "some/tiny:Q3_K_M")[2]
    assert not folder.exists()


def test_offline_nothing_is_asked(server: LoopbackHub, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add("some/tiny", checkpoint())
    monkeypatch.setenv("BAYLING_OFFLINE", "1")
    status, _, said = run("pull", "some/tiny")
    assert status == 4
    assert "offline" in said
    assert server.seen == []
    assert not folder.exists()


@pytest.mark.slow
def test_a_kept_download_serves_offline(
    server: LoopbackHub, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, random_model: Path
) -> None:
    server.add("some/tiny", checkpoint())
    assert run("pull", "some/tiny:Q8_0", "--keep")[0] == 0
    monkeypatch.setenv("BAYLING_OFFLINE", "1")
    asked = len(server.seen)
    status, _, said = run("pull", "some/tiny:Q4_0")
    assert status == 0, said
    assert "To fetch: nothing" in said
    assert len(server.seen) == asked
    assert run("verify", "some/tiny")[0] == 0


def test_what_the_server_garbles_is_not_taken(server: LoopbackHub, folder: Path, run: Run, random_model: Path) -> None:
    server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": random_model.read_bytes()})
    server.inject("tiny-Q8_0.gguf", Fault("flip"))
    status, _, said = run("pull", "some/tiny-GGUF")
    assert status == 5, said
    assert run("list")[1].count("some/tiny-GGUF") == 0
    assert run("pull", "some/tiny-GGUF")[0] == 0
    assert run("verify", "some/tiny-GGUF")[0] == 0


def test_a_damaged_file_of_the_repository_is_refused(
    server: LoopbackHub, folder: Path, run: Run, random_model: Path
) -> None:
    server.add("some/broken", {"tiny-Q8_0.gguf": random_model.read_bytes()[:-100_000]})
    status, _, said = run("pull", "some/broken")
    assert status == 1
    assert "truncated" in said
    assert contents(folder) == []


@pytest.mark.slow
def test_a_difference_needs_its_base(server: LoopbackHub, folder: Path, run: Run, tmp_path: Path) -> None:
    base = {name: tensor.to(torch.float16) for name, tensor in random_tensors(SMALL).items()}
    generator = torch.Generator().manual_seed(7)
    target = {
        name: (tensor.float() + 0.01 * torch.randn(tensor.shape, generator=generator)).to(torch.float16)
        for name, tensor in base.items()
    }
    server.add("ICTNLP/bayling-7b-diff", checkpoint({name: target[name] - base[name] for name in base}))
    status, _, said = run("pull", "bayling-7b")
    assert status == 2
    assert "Get LLaMA-7B as a Hugging Face checkpoint from its owner, Meta" in said
    assert server.seen == []

    server.add("some/llama-7b", checkpoint(base))
    local = tmp_path / "llama-7b"
    local.mkdir()
    for name, content in checkpoint(base).items():
        (local / name).write_bytes(content)
    digests = set()
    for place in (str(local), "hf://some/llama-7b"):
        status, _, said = run("pull", "bayling-7b:F16", "--base", place, "--force")
        assert status == 0, said
        record = read_record(folder / "bayling-7b.F16.gguf")
        assert record is not None
        assert record.base is not None
        assert record.base.startswith(place)
        digests.add(record.sha256)
    assert len(digests) == 1
    assert contents(folder) == ["bayling-7b.F16.gguf", "bayling-7b.F16.gguf.json"]


@pytest.mark.slow
def test_revisions(server: LoopbackHub, folder: Path, run: Run, random_model: Path) -> None:
    model = random_model.read_bytes()
    old = server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model + b"old"}, revision="v1")
    new = server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model + b"new"})
    path = folder / "some" / "tiny-GGUF" / "tiny-Q8_0.gguf"
    assert run("pull", "some/tiny-GGUF@v1")[0] == 0
    assert path.read_bytes().endswith(b"old")
    assert run("pull", "some/tiny-GGUF:Q8_0", "--revision", "v1")[0] == 0
    assert run("pull", "some/tiny-GGUF:Q8_0", "--revision", old[:10])[0] == 0
    status, _, said = run("pull", "some/tiny-GGUF", "--revision", "main")
    assert (status, "--force" in said) == (2, True)
    assert run("pull", "some/tiny-GGUF", "--revision", "main", "--force")[0] == 0
    assert path.read_bytes().endswith(b"new")
    record = read_record(path)
    assert record is not None
    assert record.revision == new


def test_a_full_disk_is_known_before_anything_is_fetched(
    server: LoopbackHub, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add("some/tiny", checkpoint())
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**6, 10**6, 1000))
    status, _, said = run("pull", "some/tiny")
    assert status == 1
    assert "where only 1.0 kB are free" in said
    assert server.sent["model.safetensors"] == 0
    assert contents(folder) == []


def test_a_file_of_ones_own_is_not_replaced(server: LoopbackHub, folder: Path, run: Run, random_model: Path) -> None:
    server.add("ICTNLP/bayling-2-7b", checkpoint())
    folder.mkdir()
    shutil.copy(random_model, folder / "bayling-2-7b.Q4_K_M.gguf")
    status, _, said = run("pull", "bayling-2-7b")
    assert status == 0
    assert "a file of your own" in said
    assert contents(folder) == ["bayling-2-7b.Q4_K_M.gguf"]


def test_two_pulls_of_the_same_do_not_meet(server: LoopbackHub, folder: Path, run: Run) -> None:
    server.add("some/tiny", checkpoint())
    work = folder / ".pull" / "some--tiny" / "Q4_K_M"
    work.mkdir(parents=True)
    with filelock.FileLock(work / ".lock"):
        status, _, said = run("pull", "some/tiny")
        assert status == 1
        assert "Another process is just pulling some/tiny as Q4_K_M" in said
        assert "Licence" not in said
        assert (work / ".lock").exists()
    assert run("pull", "some/tiny")[0] == 0


@pytest.mark.slow
def test_what_was_finished_is_not_made_again(
    server: LoopbackHub, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    server.add("some/tiny", checkpoint())
    with monkeypatch.context() as patch:
        patch.setattr("bayling_lite.pulling.work.write_record", interrupted)
        status, _, said = run("pull", "some/tiny", "--revision", "main")
    assert status == 130
    assert said.endswith("this goes on: bayling models pull some/tiny --revision main\n")
    sent = server.sent["model.safetensors"]
    assert run("pull", "some/tiny", "--revision", "main")[0] == 0
    assert server.sent["model.safetensors"] == sent
    assert run("verify")[0] == 0
    assert contents(folder) == ["some/tiny/tiny.Q4_K_M.gguf", "some/tiny/tiny.Q4_K_M.gguf.json"]


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
def test_a_model_never_stands_under_anothers_record(
    server: LoopbackHub,
    folder: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    random_model: Path,
    late: bool,
) -> None:
    def interrupted(path: Path, record: Record) -> None:
        if late:
            write_record(path, record)
        raise KeyboardInterrupt

    model = random_model.read_bytes()
    server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model + b"old"})
    assert run("pull", "some/tiny-GGUF")[0] == 0
    server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model + b"new"})
    with monkeypatch.context() as patch:
        patch.setattr("bayling_lite.pulling.work.write_record", interrupted)
        assert run("pull", "some/tiny-GGUF", "--force")[0] == 130
    assert run("verify")[0] == 0
    sent = server.sent["tiny-Q8_0.gguf"]
    assert run("pull", "some/tiny-GGUF:Q8_0")[0] == 0
    assert server.sent["tiny-Q8_0.gguf"] == sent
    path = folder / "some" / "tiny-GGUF" / "tiny-Q8_0.gguf"
    assert path.read_bytes() == model + b"new"
    assert run("verify")[0] == 0


def test_a_tag_may_look_like_a_commit(server: LoopbackHub, folder: Path, run: Run, random_model: Path) -> None:
    model = random_model.read_bytes()
    commit = server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model + b"new"})
    assert run("pull", "some/tiny-GGUF")[0] == 0
    server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model + b"old"}, revision=commit[:1])
    status, _, said = run("pull", f"some/tiny-GGUF@{commit[:1]}:Q8_0")
    assert status == 2
    assert "is here, but not at revision" in said


def test_offline_another_type_is_not_available(
    server: LoopbackHub, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, random_model: Path
) -> None:
    model = random_model.read_bytes()
    server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model, "tiny-BF16.gguf": model})
    huggingface_hub.hf_hub_download("some/tiny-GGUF", "tiny-Q8_0.gguf", endpoint=server.endpoint)
    monkeypatch.setenv("BAYLING_OFFLINE", "1")
    status, _, said = run("pull", "some/tiny-GGUF:BF16")
    assert status == 4
    assert "some/tiny-GGUF as BF16 is not in the shared cache, and nothing may be fetched offline" in said
    # No option of that name, and nothing that fetches every file of the repository.
    assert "--offline" not in said
    assert "hf download" not in said
    status, _, said = run("pull", "some/tiny-GGUF:other.gguf")
    assert (status, said.endswith("or fetch it: hf download some/tiny-GGUF other.gguf\n")) == (4, True)
    assert run("pull", "some/tiny-GGUF:Q8_0")[0] == 0


def test_a_web_address_is_told_how_to_write_it(folder: Path, run: Run) -> None:
    status, _, said = run("pull", "https://huggingface.co/ICTNLP/bayling-2-7b")
    assert status == 2
    assert "write hf://ICTNLP/bayling-2-7b instead" in said


def test_a_home_that_there_is_not(server: LoopbackHub, folder: Path, run: Run) -> None:
    server.add("ICTNLP/bayling-7b-diff", checkpoint())
    status, _, said = run("pull", "bayling-7b", "--base", "~nobody-of-that-name/llama")
    assert status == 1
    assert "~nobody-of-that-name/llama does not exist" in said
    assert run("path", "~nobody-of-that-name/x.gguf")[0] == 4


@pytest.mark.slow
def test_ctrl_c_keeps_what_has_come_and_says_how_to_go_on(
    server: LoopbackHub, folder: Path, tmp_path: Path, random_model: Path
) -> None:
    model = random_model.read_bytes() + bytes(6_000_000)
    server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": model})
    command = [
        sys.executable,
        "-c",
        "from bayling_lite.cli import main; main()",
        "models",
        "pull",
        "some/tiny-GGUF:Q8_0",
    ]
    environment = os.environ | {"HF_ENDPOINT": server.endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(__file__).parents[2] / name) for name in ("", "convert"))
    server.rate = 1_500_000
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while server.sent["tiny-Q8_0.gguf"] < 2_000_000:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert out == ""
    assert said.splitlines()[-1].endswith("this goes on: bayling models pull some/tiny-GGUF:Q8_0")
    assert not (folder / "some").exists()

    server.rate = None
    first = server.sent["tiny-Q8_0.gguf"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (folder / "some" / "tiny-GGUF" / "tiny-Q8_0.gguf").read_bytes() == model
    assert server.sent["tiny-Q8_0.gguf"] - first < len(model) - 1_000_000
