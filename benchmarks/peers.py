"""The programs we compare ourselves with, each driven the way that is best for it.

``llama-server``, ``llama-bench`` and ``llama-batched-bench`` are built from the llama.cpp source inside
llama-cpp-python's own source package, so that their kernels are the ones our engine uses.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import math
import multiprocessing
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp

_READY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a llama-server is started: slots, and whether they share one buffer of the KV cache."""

    n_parallel: int
    unified: bool
    flash_attention: bool = True

    def __str__(self) -> str:
        return f"-np {self.n_parallel}{' -kvu' if self.unified else ''}{'' if self.flash_attention else ' -fa off'}"


class LlamaServer:
    """A running llama-server. Its answers have exactly the length that is asked for."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, settings: ServerSettings) -> None:
        self._process = process
        self._port = port
        self.settings = settings

    @classmethod
    @contextlib.contextmanager
    def start(
        cls, tools: Path, model: Path, settings: ServerSettings, *, threads: int, cells_each: int
    ) -> Iterator[LlamaServer]:
        """Start it, wait until the model is loaded, and end it behind the ``with``."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [tools / "llama-server", "-m", model, "--port", port, "-t", threads, "-np", settings.n_parallel]
        command += ["-c", cells_each * settings.n_parallel, "-fa", "on" if settings.flash_attention else "off"]
        # What only costs it time here: its web page, saved states of slots, the list of slots, its log.
        command += ["-kvu" if settings.unified else "-no-kvu", "--no-webui", "--no-slots", "--cache-ram", 0]
        command += ["--log-disable"]
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            server = cls(process, port, settings)
            server._wait()
            yield server
        finally:
            process.terminate()
            process.wait()

    def _wait(self) -> None:
        for _ in range(_READY_SECONDS * 5):
            if self._process.poll() is not None:
                raise RuntimeError(f"llama-server ended with status {self._process.returncode}.")
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == http.client.OK:
                    return
            time.sleep(0.2)
        raise RuntimeError("llama-server does not become ready.")

    def complete(self, prompts: Sequence[str], n_tokens: int) -> int:
        """Answer all prompts, as many at a time as there are slots and some more; returns the tokens generated."""
        # More requests under way than slots: a slot that becomes free never waits for the client.
        workers = min(len(prompts), self.settings.n_parallel * 2)
        shares = [prompts[start::workers] for start in range(workers)]
        with ThreadPoolExecutor(workers) as pool:
            return sum(pool.map(lambda share: self._complete(share, n_tokens), shares))

    def _complete(self, prompts: Iterable[str], n_tokens: int) -> int:
        connection, total = http.client.HTTPConnection("127.0.0.1", self._port), 0
        for prompt in prompts:
            wish = {"prompt": prompt, "n_predict": n_tokens, "ignore_eos": True, "cache_prompt": True, "temperature": 0}
            # Greedy decoding without the filters before it.
            wish |= {"samplers": ["top_k"], "top_k": 1}
            connection.request("POST", "/completion", json.dumps(wish), {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
            if answer["tokens_predicted"] != n_tokens:
                raise RuntimeError(f"llama-server generated {answer['tokens_predicted']} tokens, not {n_tokens}.")
            total += answer["tokens_predicted"]
        return total


class OneAtATime:
    """:class:`_OneAtATime` in a process of its own, which waits while it has nothing to do.

    Two teams of OpenMP threads in one process take them for too many, and then each waits asleep instead of ready: a
    model is a quarter slower beside another than alone.
    """

    def __init__(self, model: Path, *, threads: int, n_ctx: int) -> None:
        self._process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _open, (model, threads, n_ctx))

    def prepare(self, prompts: Sequence[str], n_tokens: int) -> None:
        """Load and warm up, and see whether the model ends answers by itself: ``complete`` has to go round that."""
        self._process.submit(_prepare, list(prompts), n_tokens).result()

    def complete(self, prompts: Sequence[str], n_tokens: int) -> int:
        """Answer the prompts one after another; returns the tokens generated."""
        return self._process.submit(_complete, list(prompts), n_tokens).result()

    def close(self) -> None:
        """End the process."""
        self._process.shutdown()


_opened: list[_OneAtATime] = []  # in that process


def _open(model: Path, threads: int, n_ctx: int) -> None:
    _opened.append(_OneAtATime(model, threads=threads, n_ctx=n_ctx))


def _prepare(prompts: list[str], n_tokens: int) -> None:
    _opened[0].prepare(prompts, n_tokens)


def _complete(prompts: list[str], n_tokens: int) -> int:
    return _opened[0].complete(prompts, n_tokens)


class _OneAtATime:
    """llama-cpp-python's ``Llama``, which keeps the last request's tokens and evaluates only what differs."""

    def __init__(self, model: Path, *, threads: int, n_ctx: int) -> None:
        self._llama = llama_cpp.Llama(
            str(model), n_ctx=n_ctx, n_threads=threads, n_threads_batch=threads, flash_attn=True, verbose=False
        )
        self._ends_early = True

    def prepare(self, prompts: Sequence[str], n_tokens: int) -> None:
        """Warm up, and see whether the model ends answers by itself: then ``complete`` has to go round that."""
        self._ends_early = self._complete(prompts, n_tokens) < n_tokens * len(prompts)

    def complete(self, prompts: Sequence[str], n_tokens: int) -> int:
        """Answer the prompts one after another; returns the tokens generated."""
        if not self._ends_early:
            return self._complete(prompts, n_tokens)
        total = 0
        for prompt in prompts:
            tokens = self._llama.tokenize(prompt.encode(), special=True)
            # What create_completion is built on, and less work. Forbidding the end token there would be Python's work.
            answer = list(itertools.islice(self._llama.generate(tokens, top_k=1, temp=0.0), n_tokens))
            self._llama.detokenize(answer)
            total += len(answer)
        return total

    def _complete(self, prompts: Sequence[str], n_tokens: int) -> int:
        answers = (self._llama.create_completion(prompt, max_tokens=n_tokens, temperature=0) for prompt in prompts)
        return sum(answer["usage"]["completion_tokens"] for answer in answers)


@dataclass(frozen=True, slots=True)
class BatchedSpeed:
    """What llama-batched-bench measured, in tokens per second: reading prompts, and decoding all sequences together."""

    prompt: float
    decoding: float


def batched_bench(tools: Path, model: Path, *, threads: int, width: int, n_prompt: int, n_tokens: int) -> BatchedSpeed:
    """The best speeds of llama-batched-bench, with and without a unified KV cache."""
    runs: list[dict[str, float]] = []
    for unified in ("-kvu", "-no-kvu"):
        cells = width * (n_prompt + n_tokens) + 256
        command = [tools / "llama-batched-bench", "-m", model, "-t", threads, "-c", math.ceil(cells / 256) * 256]
        command += ["-npp", n_prompt, "-ntg", n_tokens, "-npl", width, "-fa", "on", unified, "--output-format", "jsonl"]
        runs += [json.loads(line) for line in _output(command).splitlines() if line.startswith("{")]
    return BatchedSpeed(max(run["speed_pp"] for run in runs), max(run["speed_tg"] for run in runs))


def llama_bench(tools: Path, model: Path, *, threads: int, depth: int, n_tokens: int) -> float:
    """Tokens per second of decoding behind ``depth`` tokens: the better of flash attention on and off."""
    command = [tools / "llama-bench", "-m", model, "-t", threads, "-p", 0, "-n", n_tokens, "-d", depth]
    runs: list[dict[str, Any]] = json.loads(_output([*command, "-fa", "0,1", "-r", 1, "-o", "json"]))
    return max(float(run["avg_ts"]) for run in runs)


def _output(command: Sequence[object]) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
