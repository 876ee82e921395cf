"""How good a model is while it is trained: the loss on held-out dialogues, and scores of what it translates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import GenerationConfig

from bayling_finetune.dialogues.values import Dialogue
from bayling_finetune.distributed import Processes, language_model, reshard
from bayling_finetune.kernels import as_transformers
from bayling_finetune.packing import PackedBatch
from bayling_finetune.tokenizer import Tokenizer, encode_parts, stop_ids
from bayling_lite.errors import RecipeError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import PromptTemplate

Row = NDArray[np.int64]

_BATCH = 16
_SPACELESS = {"zh": "zh", "ja": "char", "ko": "char", "th": "char", "lo": "char", "km": "char", "my": "char"}
"""sacreBLEU's tokenizers for languages in which words are not divided by spaces, without a package of their own."""


@torch.no_grad()
def mean_loss(
    model: nn.Module, rows: Sequence[Row], lay_out: Callable[[Row], PackedBatch], processes: Processes
) -> float:
    """Mean loss in nats a target token over all rows of a dataset, which the processes share.

    ``model`` gives the summed loss of a batch. Where others have a row more, a process computes one for nothing,
    because all must call a sharded model equally often.
    """
    training = model.training
    model.eval()
    total = torch.zeros((), dtype=torch.float64, device=processes.device)
    count = 0
    for number in processes.share(len(rows)):
        batch = lay_out(rows[0 if number is None else number]).to(processes.device)
        loss = model(batch)
        if number is not None:
            total += loss.double()
            count += len(batch.predict_ids)
    reshard(model)
    model.train(training)
    total_loss, total_count = processes.sum(total, count)
    return total_loss / max(1.0, total_count)


@dataclass(frozen=True, slots=True)
class Scores:
    """BLEU and chrF of a direction's translations, of 100, with the signatures of the metrics."""

    sentences: int
    bleu: float
    chrf: float
    signatures: tuple[str, str]


def check_scorer() -> None:
    """Refuse early what would fail at the first evaluation.

    Raises:
        RecipeError: sacreBLEU is not installed.
    """
    try:
        import sacrebleu  # noqa: F401
    except ImportError as error:
        raise RecipeError(
            "evaluation.generate needs a package that is not installed: pip install sacrebleu. Or set generate = 0."
        ) from error


def score(requests: Sequence[Dialogue], hypotheses: Sequence[str]) -> dict[str, Scores]:
    """Scores by language pair (``en-zh``), mixed case; the last answer of each dialogue is the one reference."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for request, hypothesis in zip(requests, hypotheses, strict=True):
        pair = f"{request.source_language}-{request.target_language}"
        texts[pair].append((hypothesis, request.conversation.messages[-1].content))
    scores = {}
    for pair, both in sorted(texts.items()):
        translated, references = [text for text, _ in both], [[text for _, text in both]]
        bleu = BLEU(tokenize=_SPACELESS.get(pair.rpartition("-")[2].split("-")[0], "13a"))
        chrf = CHRF()
        scores[pair] = Scores(
            len(both),
            bleu.corpus_score(translated, references).score,
            chrf.corpus_score(translated, references).score,
            (str(bleu.get_signature()), str(chrf.get_signature())),
        )
    return scores


def log_entry(scores: dict[str, Scores]) -> dict[str, Any]:
    """Scores for the log: their means over the pairs, and each pair's own."""
    pairs = scores.values()
    return {
        "bleu": sum(one.bleu for one in pairs) / len(scores),
        "chrf": sum(one.chrf for one in pairs) / len(scores),
        "pairs": {
            pair: {"bleu": one.bleu, "chrf": one.chrf, "sentences": one.sentences} for pair, one in scores.items()
        },
        "signatures": sorted({signature for one in pairs for signature in one.signatures}),
    }


@dataclass(frozen=True, slots=True)
class Translating:
    """Greedy translation by transformers' own ``generate``, by the model as it is trained at the moment."""

    tokenizer: Tokenizer
    template: PromptTemplate
    processes: Processes
    dtype: torch.dtype
    max_new_tokens: int

    @torch.no_grad()
    def translate(self, model: nn.Module, requests: Sequence[Dialogue]) -> list[str]:
        """What the model says instead of each last answer, in every process. Requests of a length are answered
        together, and shared out.
        """  # fmt: skip
        asked = (Conversation(request.conversation.messages[:-1]) for request in requests)
        encoded = encode_parts(self.tokenizer, [self.template.render(conversation) for conversation in asked])
        prompts = [ids.tolist() for ids, _ in encoded]
        order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
        batches = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
        found: dict[int, str] = {}
        training = model.training
        model.eval()
        try:
            with as_transformers(model):
                for share in self.processes.share(len(batches)):
                    chosen = batches[0 if share is None else share]
                    texts = self._generate(model, [prompts[number] for number in chosen])
                    if share is not None:
                        found.update(zip(chosen, texts, strict=True))
        finally:
            reshard(model)
            model.train(training)
        for others in self.processes.gather(found):
            found.update(others)
        return [found[number] for number in range(len(prompts))]

    def _generate(self, model: nn.Module, prompts: Sequence[list[int]]) -> list[str]:
        llama = language_model(model)
        longest = max(map(len, prompts))
        device, eos = self.processes.device, self.tokenizer.eos
        # Padded on the left, so that all answers begin in one place.
        ids = torch.tensor([[eos] * (longest - len(prompt)) + prompt for prompt in prompts], device=device)
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
        room = llama.config.max_position_embeddings - longest
        stops = list(stop_ids(self.tokenizer, self.template))
        config = GenerationConfig(
            max_new_tokens=max(1, min(self.max_new_tokens, room)), do_sample=False, eos_token_id=stops, pad_token_id=eos
        )
        with torch.autocast(device.type, self.dtype, enabled=self.dtype is not torch.float32):
            answers = llama.generate(
                input_ids=ids, attention_mask=mask, generation_config=config, synced_gpus=self.processes.count > 1
            )
        return [self.tokenizer.decode(_before(answer, stops)).strip() for answer in answers[:, longest:].tolist()]


def _before(ids: Sequence[int], stops: Iterable[int]) -> list[int]:
    ends = [number for number, token in enumerate(ids) if token in set(stops)]
    return list(ids[: ends[0]]) if ends else list(ids)
