"""Which prompt template a model file wants, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bayling_lite.chat_template import ChatTemplate
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.native_log import logger
from bayling_lite.errors import ModelUnreadable, UsageError
from bayling_lite.gguf_file import GGUFHeader
from bayling_lite.languages import Language, find_language
from bayling_lite.localization import _
from bayling_lite.prompts import BAYLING, BAYLING_3, TEMPLATES, PromptTemplate, Template
from bayling_lite.reasons import reason

OWN = "jinja"


def choose_template(header: GGUFHeader, name: str | None = None) -> Template:
    """The template to talk to a model with.

    In this order: the one named by ``name``; the one of the file's ``bayling.template``; a published BayLing's,
    recognised by its chat template or its name; the file's own chat template.

    Args:
        header: the model file's.
        name: of a template, ``jinja`` for the file's own, or the path of a Jinja template that ends in ``.jinja``.

    Raises:
        UsageError: ``name`` is no template, or no file that can be read.
        ModelUnreadable: the file names an unknown template, has none, or has one that cannot be used.
    """
    if name is not None:
        return _named(header, name)
    declared = header.text("bayling.template")
    if declared is not None:
        if declared not in TEMPLATES:
            raise ModelUnreadable(
                _(
                    "{path} wants the template {name!r}, which this version does not know (known: {known}). "
                    "Use a newer version, or name one with --template.",
                    path=header.path,
                    name=declared,
                    known=", ".join(TEMPLATES),
                )
            )
        return TEMPLATES[declared]
    return _published(header) or _own(header)


def _named(header: GGUFHeader, name: str) -> Template:
    if name in TEMPLATES:
        return TEMPLATES[name]
    if name == OWN:
        return _own(header)
    if not name.endswith(".jinja"):
        raise UsageError(
            _(
                "There is no template {name!r}. Known: {known}, {own} (the model's own), or a file that ends in "
                ".jinja.",
                name=name,
                known=", ".join(TEMPLATES),
                own=OWN,
            )
        )
    try:
        source = Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else _("it is not UTF-8")
        raise UsageError(_("The template {name} cannot be read: {reason}.", name=name, reason=why)) from None
    return ChatTemplate(source, name=Path(name).stem, where=name)


def _published(header: GGUFHeader) -> PromptTemplate | None:
    chat = header.text("tokenizer.chat_template") or ""
    if "developed by the NLP Group of ICT/CAS" in chat:
        return BAYLING_3 if "<|start_header_id|>" in chat else BAYLING
    names = (header.text("general.name"), header.text("general.basename"), header.path.stem)
    if any(name and "bayling" in name.casefold() for name in names):
        # Not by the name alone: "BayLing-2-8B" does not say that it is a Llama 3. Its vocabulary does: Llama 3 has a
        # byte-level BPE ("gpt2"), the bases of all other BayLings have SentencePiece ("llama").
        return BAYLING_3 if header.text("tokenizer.ggml.model") == "gpt2" else BAYLING
    return None


def _own(header: GGUFHeader) -> ChatTemplate:
    source = header.text("tokenizer.chat_template")
    if source is None:
        raise ModelUnreadable(
            _(
                "{path} has no chat template, so it may not be a model to talk to. "
                "Name one with --template: {known}, or a file that ends in .jinja.",
                path=header.path,
                known=", ".join(TEMPLATES),
            )
        )
    return ChatTemplate(source, name=OWN, where=str(header.path))


def placeholders(header: GGUFHeader) -> dict[str, str]:
    """What the model writes in the place of names, and the texts that belong there (``bayling.placeholders``).

    Raises:
        ModelUnreadable: the list is not placeholder and text in turn.
    """
    said = header.metadata.get("bayling.placeholders", [])
    texts = [item for item in said if isinstance(item, str)] if isinstance(said, list) else []
    if not isinstance(said, list) or len(texts) != len(said) or len(texts) % 2 or not all(texts[::2]):
        raise ModelUnreadable(f"{header.path}: bayling.placeholders is not a list of placeholder and text in turn.")
    return dict(zip(texts[::2], texts[1::2], strict=True))


def describe(header: GGUFHeader, template: Template, n_ctx: int) -> ModelInfo:
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
