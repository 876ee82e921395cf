"""The sections of a model card: what the files are, where they come from, what quantizing cost, under which licence.

The format is the hub's: YAML metadata, then Markdown (https://huggingface.co/docs/hub/model-cards). What a checkpoint
says of itself is a stranger's text: it is escaped everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bayling_convert.model_card.contents import CardContents, CardFile
from bayling_convert.model_card.licences import LLAMA_1, Terms, hub_licence, terms_of
from bayling_convert.model_card.markdown import code, file_link, link, picture, plain, table
from bayling_convert.model_card.plain import one_line
from bayling_convert.model_card.usage import how_to_run, prompt
from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language
from bayling_lite.units import bytes_text

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}\Z", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}\Z")


def front_matter(contents: CardContents) -> str:
    """The YAML metadata between its two lines, written by huggingface-hub's own ``ModelCardData``."""
    from huggingface_hub import ModelCardData  # takes a moment, and only cards need it

    licence, terms = hub_licence(contents.license), terms_of(contents.license)
    repository = contents.repository if _REPOSITORY.match(contents.repository or "") else None
    codes = dict.fromkeys(name.split("-")[0].casefold() for name in contents.languages)
    tags = ["gguf", "llama.cpp", "bayling", "interactive-translation"]
    tags += ["imatrix"] if any(file.imatrix for file in contents.files) else []
    data = ModelCardData(
        license=licence,
        license_name=_slug(contents.license or "") if licence == "other" else None,
        license_link=terms.url if licence == "other" and terms else None,
        language=[name for name in codes if _LANGUAGE.match(name)] or None,
        library_name="gguf",
        pipeline_tag="translation",
        base_model=repository,
        base_model_relation="quantized" if repository else None,
        tags=tags,
    )
    return f"---\n{data.to_yaml(line_break=chr(10))}\n---\n"


def sections(contents: CardContents) -> Mapping[str, str]:
    """The card's Markdown by the name of its section, in order. One that has nothing to say is empty."""
    return {
        "about": _about(contents),
        "files": files_section(contents.files),
        "run": how_to_run(contents),
        "prompt": prompt(contents),
        "verification": "\n\n".join(verification(file) for file in contents.files if file.comparison is not None),
        "licence": _licence(contents),
        "provenance": _provenance(contents),
    }


def title(contents: CardContents) -> str:
    """The card's heading."""
    return f"# {plain(contents.name)} · GGUF"


def files_section(files: Iterable[CardFile]) -> str:
    """The table of files, the smallest first."""
    rows = [
        (
            file_link(file.name),
            plain(file.file_type) + (", importance matrix" if file.imatrix else ""),
            bytes_text(file.n_bytes),
            code(file.sha256 or ""),
        )
        for file in sorted(files, key=lambda file: (file.n_bytes, file.name))
    ]
    return "## Files\n\n" + table(("file", "type", "size", "SHA-256"), rows)


def verification(file: CardFile) -> str:
    """What quantizing cost one file; empty when that was not measured."""
    measured = file.comparison
    if measured is None:
        return ""
    rows = [(row.label, row.value.replace(" ", "\u00a0"), row.explanation) for row in measured.rows()]
    text = (
        f"## What quantizing cost: {plain(file.file_type)}\n\n"
        f"{code(file.name)} beside the same model unquantized, on {measured.n_tokens:,} tokens of the answers in "
        f"{measured.n_dialogues} dialogues:\n\n{table(('', 'value', ''), rows)}"
    )
    if file.picture:
        text += "\n\n" + picture("KL divergence of the tokens, and perplexity of both", file.picture)
    return "\n\n".join([text, *map(plain, measured.notes)])


def _about(contents: CardContents) -> str:
    what = "GGUF files" if len(contents.files) > 1 else "A GGUF file"
    size_of_it = f" ({_counted(contents.n_parameters)} parameters)" if contents.n_parameters else ""
    source = link(contents.repository, _web(contents)) if contents.repository else plain(contents.name)
    text = f"{what} of {source}{size_of_it}, for llama.cpp and the programs built on it, offline and without a GPU."
    paragraphs = [text]
    if contents.description:
        paragraphs.append(plain(contents.description))
    if contents.demonstrator:
        paragraphs.append("**It is a demonstrator**: it shows the way and is not to be relied on for anything.")
    if names := [_language(code) for code in contents.languages]:
        paragraphs.append(f"Languages it translates between: {', '.join(names)}.")
    if contents.context_length:
        paragraphs.append(f"Context it was trained with: {contents.context_length:,} tokens.")
    return "\n\n".join(paragraphs)


def _counted(number: int) -> str:
    return f"{number / 1e9:.1f} billion" if number >= 10**9 else f"{number / 1e6:.1f} million"


def _language(name: str) -> str:
    try:
        return find_language(name).english
    except UsageError:
        return plain(name)


def _licence(contents: CardContents) -> str:
    terms = terms_of(contents.license, contents.base)
    parts = ["## Licence"]
    if terms is not None and terms.display:
        parts.append(f"**{terms.display}**")
    if contents.license:
        parts.append(f"The model comes under: {link(contents.license, _licence_url(contents.license))}.")
    else:
        parts.append("The checkpoint does not say under which licence it comes.")
    if contents.base:
        parts.append(f"It was made from {link(contents.base, _base_url(contents))}; that one's licence counts as well.")
    if terms is not None:
        parts += _asked_for(contents, terms)
    parts.append("Quantizing changes nothing about whose work this is: credit belongs to the checkpoint's authors.")
    return "\n\n".join(parts)


def _asked_for(contents: CardContents, terms: Terms) -> list[str]:
    """What Meta's agreement wants shown, and, where only the one who uploads sees it, what it wants done."""
    shown, hints = [], []
    if terms.notice:
        shown.append(terms.notice)
        hints.append(
            f"put a copy of the agreement ({terms.url}) and the notice above, as a file Notice, beside the files"
        )
    if terms.prefix and not contents.name.casefold().startswith(terms.prefix.casefold()):
        hints.append(f'the agreement wants the name of a model made from theirs to begin with "{terms.prefix}"')
    if terms is LLAMA_1:
        shown.append(
            f"Its base is of the first LLaMA, for research that is not commercial: {link(terms.name, terms.url)}."
        )
        hints.append("Meta gave LLaMA 1 to single applicants; check whether you may pass on what holds its weights")
    return shown + ([f"<!-- Before you upload: {'; '.join(hints)}. -->"] if hints else [])


def _licence_url(licence: str) -> str | None:
    terms = terms_of(licence)
    return terms.url if terms else None


def _base_url(contents: CardContents) -> str | None:
    if contents.base_url:
        return contents.base_url
    return f"https://huggingface.co/{contents.base}" if _REPOSITORY.match(contents.base or "") else None


def _provenance(contents: CardContents) -> str:
    where = link(contents.repository, _web(contents)) if contents.repository else plain(contents.source_url or "")
    matrices = dict.fromkeys(file.imatrix for file in contents.files if file.imatrix)
    facts = [
        ("checkpoint", where),
        ("revision", code(contents.revision or "")),
        *(("before quantizing", plain(sentence)) for sentence in contents.made),
        ("importance matrix", "; ".join(plain(text) for text in matrices)),
        ("converted by", plain(contents.converter)),
        ("recipe, SHA-256", code(contents.recipe_sha256 or "")),
        ("training data, SHA-256", code(contents.data_sha256 or "")),
        *(("training data", plain(text)) for text in contents.datasets),
    ]
    return "## Where it comes from\n\n" + table(("", ""), [fact for fact in facts if fact[1]])


def _web(contents: CardContents) -> str | None:
    if contents.repository and _REPOSITORY.match(contents.repository):
        return f"https://huggingface.co/{contents.repository}"
    return contents.source_url


def _slug(text: str) -> str:
    """A licence's name as the hub wants it: one word."""
    return re.sub(r"[^a-z0-9.]+", "-", one_line(text, longest=80).casefold()).strip("-") or "unknown"
