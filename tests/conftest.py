"""Fixtures for all tests: no network, no directories of the user, and models to run.

Two miniature models need no training. ``random_model`` has random weights, so that every earlier token changes what
follows. ``chain_model`` is built so that each token has one successor, which makes its greedy answer known in advance.
"""

from __future__ import annotations

import gc
import itertools
import os
import re
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

# Read when huggingface_hub is imported, so set before anything can import it.
os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"})

# A shell that puts the tests into the background lets them, and every program they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import gguf

from bayling_lite.localization import use_language

FOLDERS = itertools.count()
WIDTH, LAYERS, HEADS, FEED_FORWARD, TRAINED_CONTEXT = 64, 2, 2, 128, 512
SPECIAL_TOKENS = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|end_of_text|>")
MAKE_MODEL = Callable[..., Path]


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """What thousands of tests are made of stays to the end: looking through it takes a tenth of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """As pytest's own, without a link to the newest folder and a look through all others: thousands of tests ask."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    return tmp_path_factory.mktemp(f"{name}{next(FOLDERS)}", numbered=False)


@pytest.fixture(autouse=True)
def _own_directories(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the user's configuration, models, state and terminal out of the tests, and the tests out of them.

    The home of each test is its own, and is made by what first keeps something there.
    """
    for name in [name for name in os.environ if name.startswith("BAYLING_") or name in ("COLUMNS", "LINES")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BAYLING_HOME", str(tmp_path_factory.getbasetemp() / f"bayling-home-{next(FOLDERS)}"))
    monkeypatch.setenv("BAYLING_LANG", "en")
    use_language(None)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MAKE_MODEL:
    """Write a miniature GGUF; the arguments are those of :func:`write_model`."""
    folder = tmp_path_factory.mktemp("models")
    numbers = itertools.count()

    def make(**options: object) -> Path:
        return write_model(folder / f"miniature-{next(numbers)}.gguf", **options)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def random_model(make_model: MAKE_MODEL) -> Path:
    """A LLaMA with random weights and the bayling template."""
    return make_model()


@pytest.fixture(scope="session")
def chain_model(make_model: MAKE_MODEL) -> Path:
    """Answers ``早 good day</`` and ends. 早 is three byte tokens, and ``</`` is the beginning of a stop string."""
    return make_model(chain=("<0x0A>", "<0xE6>", "<0x97>", "<0xA9>", "▁good", "▁day", "</", "</s>"))


@pytest.fixture(scope="session")
def morning_model(make_model: MAKE_MODEL) -> Path:
    """Answers ``早`` and ends: a translation into Chinese that no check has anything to say of."""
    return make_model(chain=("<0x0A>", "<0xE6>", "<0x97>", "<0xA9>", "</s>"))


@pytest.fixture(scope="session")
def endless_model(make_model: MAKE_MODEL) -> Path:
    """Answers ``abababab`` without end."""
    return make_model(chain=("<0x0A>", "a", "b", "a"))


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The model that ships with the package. Its absence is a failure."""
    folder = Path(__file__).resolve().parent.parent / "models" / "bayling-tiny"
    models = sorted(folder.glob("*.gguf"))
    assert models, f"the embedded model is missing: there is no GGUF file in {folder}"
    return models[0]


def vocabulary() -> list[tuple[str, int]]:
    """Pieces and their types: like a SentencePiece vocabulary with byte fallback.

    It holds traps: ``</`` + ``s>`` merges to ``</s>``, and ``<0x0`` + ``A>`` to the byte token of the line break.
    """
    kinds = gguf.TokenType
    tokens = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    tokens += [(token, kinds.CONTROL) for token in SPECIAL_TOKENS]
    tokens += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    words = ["▁g", "▁go", "▁goo", "▁good", "▁d", "▁da", "▁day", "th", "he", "▁the", "in", "▁in", "on", "er", "▁t", "▁w"]
    traps = ["</", "s>", "<0", "<0x", "<0x0", "A>"]
    letters = "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?#<>/|_-()'\"的一是不了人我在有他"
    tokens += [(piece, kinds.NORMAL) for piece in [*words, *traps, *letters]]
    return tokens


def write_model(
    path: Path,
    *,
    chain: Iterable[str] = (),
    metadata: dict[str, object] | None = None,
    architecture: str = "llama",
    space_prefix: bool = False,
    add_bos: bool = True,
    added: Iterable[str] = (),
    tensor_type: type[np.floating] = np.float32,
) -> Path:
    """Write a miniature LLaMA.

    Args:
        path: the file to write.
        chain: tokens that follow one another; none gives random weights.
        metadata: more keys, or None for the template ``bayling``.
        architecture: ``general.architecture``.
        space_prefix: ``tokenizer.ggml.add_space_prefix``.
        add_bos: ``tokenizer.ggml.add_bos_token``.
        added: user-defined tokens, which tokenizing finds in every text.
        tensor_type: of the matrices.
    """
    writer = gguf.GGUFWriter(path, architecture)
    tokens = [*vocabulary(), *((token, gguf.TokenType.USER_DEFINED) for token in added)]
    writer.add_context_length(TRAINED_CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_scores([-float(index) for index in range(len(tokens))])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(add_bos)
    writer.add_add_space_prefix(space_prefix)
    for key, value in ({"bayling.template": "bayling"} if metadata is None else metadata).items():
        _add(writer, key, value)
    for name, tensor in _weights([token for token, _ in tokens], list(chain)).items():
        writer.add_tensor(name, tensor if tensor.ndim == 1 else tensor.astype(tensor_type))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: gguf.GGUFWriter, key: str, value: object) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    elif isinstance(value, list):
        writer.add_array(key, value)
    else:
        raise TypeError(f"{key}: {value!r}")


def _weights(tokens: list[str], chain: list[str]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(17)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0, 2 / np.sqrt(columns), (rows, columns)).astype(np.float32)

    ones = np.ones(WIDTH, np.float32)
    embedding = matrix(len(tokens), WIDTH)
    weights = {"token_embd.weight": embedding, "output_norm.weight": ones, "output.weight": matrix(len(tokens), WIDTH)}
    for layer in range(LAYERS):
        weights |= {
            f"blk.{layer}.attn_norm.weight": ones,
            f"blk.{layer}.attn_q.weight": matrix(WIDTH, WIDTH),
            f"blk.{layer}.attn_k.weight": matrix(WIDTH // HEADS, WIDTH),
            f"blk.{layer}.attn_v.weight": matrix(WIDTH // HEADS, WIDTH),
            f"blk.{layer}.attn_output.weight": matrix(WIDTH, WIDTH),
            f"blk.{layer}.ffn_norm.weight": ones,
            f"blk.{layer}.ffn_gate.weight": matrix(FEED_FORWARD, WIDTH),
            f"blk.{layer}.ffn_up.weight": matrix(FEED_FORWARD, WIDTH),
            f"blk.{layer}.ffn_down.weight": matrix(WIDTH, FEED_FORWARD),
        }
    if chain:
        # Layers that add nothing leave the last token's embedding, which alone then decides what follows.
        for layer in range(LAYERS):
            weights[f"blk.{layer}.attn_output.weight"] *= 0
            weights[f"blk.{layer}.ffn_down.weight"] *= 0
        output = weights["output.weight"]
        output *= 0.01
        for token, successor in itertools.pairwise(chain):
            output[tokens.index(successor)] += embedding[tokens.index(token)]
    return weights
