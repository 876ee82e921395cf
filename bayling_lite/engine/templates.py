"""Which prompt template a model file wants, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.gguf_file import GGUFHeader
from bayling_lite.engine.native_log import logger
from bayling_lite.errors import ModelUnreadable, UsageError
from bayling_lite.languages import Language, find_language
from bayling_lite.prompts import BAYLING, BAYLING_3, TEMPLATES, PromptTemplate

_DEFAULT_N_CTX = 8192


def choose_template(header: GGUFHeader, name: str | None = None) -> PromptTemplate:
    """The template forced by ``name``, else the one of the file's ``bayling.template``, else a published BayLing's.

    The published checkpoints are recognised by their chat template or their name.

    Raises:
        UsageError: ``name`` is no template.
        ModelUnreadable: the file names an unknown template, or none can be recognised.
    """
    known = ", ".join(TEMPLATES)
    if name is not None:
        if name not in TEMPLATES:
            raise UsageError(f"There is no template {name!r}. Known: {known}.")
        return TEMPLATES[name]
    declared = header.text("bayling.template")
    if declared is not None:
        if declared not in TEMPLATES:
            raise ModelUnreadable(
                f"{header.path} wants the template {declared!r}, which this version does not know (known: {known}). "
                "Use a newer version, or name one with --template."
            )
        return TEMPLATES[declared]
    return _published(header)


def _published(header: GGUFHeader) -> PromptTemplate:
    chat = header.text("tokenizer.chat_template") or ""
    if "developed by the NLP Group of ICT/CAS" in chat:
        return BAYLING_3 if "<|start_header_id|>" in chat else BAYLING
    names = (header.text("general.name"), header.text("general.basename"), header.path.stem)
    if any(name and "bayling" in name.casefold() for name in names):
        # Not by the name alone: "BayLing-2-8B" does not say that it is a Llama 3. Its vocabulary does: Llama 3 has a
        # byte-level BPE ("gpt2"), the bases of all other BayLings have SentencePiece ("llama").
        return BAYLING_3 if header.text("tokenizer.ggml.model") == "gpt2" else BAYLING
    raise ModelUnreadable(f"{header.path} has no BayLing template; name one with --template {BAYLING.name}.")


def describe(header: GGUFHeader, template: PromptTemplate, n_ctx: int) -> ModelInfo:
    """What the file's metadata say of the model; ``n_ctx`` is the context it was opened with."""
    return ModelInfo(
        name=header.text("general.name") or header.path.stem,
        template=template.name,
        n_ctx=n_ctx,
        languages=tuple(_languages(header)),
        demonstrator=header.flag("bayling.demonstrator") or False,
    )


def _languages(header: GGUFHeader) -> Iterator[Language]:
    for code in header.texts("bayling.languages"):
        try:
            yield find_language(code)
        except UsageError:
            # A language this version has no name for is no reason to refuse the others.
            logger.warning("%s declares the unknown language %r", header.path, code)


def context_size(n_ctx_train: int, wanted: int | None) -> int:
    """Tokens of context: as wanted, else what the model was trained with, at most 8192 (memory grows with it).

    Raises:
        UsageError: fewer than 8 are wanted.
    """
    if wanted is None:
        return min(n_ctx_train, _DEFAULT_N_CTX) if n_ctx_train > 0 else _DEFAULT_N_CTX
    if wanted < 8:
        raise UsageError(f"A context of {wanted} tokens is too small; at least 8.")
    return wanted
