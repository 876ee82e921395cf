"""The parts of a model card that say how to run the files, and what the prompt looks like."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable

from bayling_convert.model_card.contents import CardContents, CardFile
from bayling_convert.model_card.markdown import block, code, plain
from bayling_convert.model_card.plain import one_line
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import TEMPLATES, V1_PLACEHOLDERS, PromptTemplate, translation_instruction

_MARK = "\ue000"
_EXAMPLES = {"en": "Good morning.", "de": "Guten Morgen.", "fr": "Bonjour.", "zh": "早上好。"}


def how_to_run(contents: CardContents) -> str:
    """Commands for bayling-lite and llama.cpp, and a Modelfile for Ollama."""
    file = preferred(contents.files)
    source, target = _direction(contents.languages)
    name, text = one_line(file.name), _EXAMPLES.get(source, _EXAMPLES["en"])
    shell = shlex.quote(name if not name.startswith("-") else f"./{name}")
    ask = translation_instruction(text, find_language(target))
    bayling = (
        "pip install bayling-lite\n"
        f"echo {shlex.quote(text)} | bayling translate --to {target} --model {shell}\n"
        f"bayling chat --model {shell}"
    )
    llama = f"llama-cli -m {shell} --jinja --temp 0 -st -p {shlex.quote(ask)}"
    if contents.template is None and contents.chat_template is None:
        return "\n\n".join(
            [
                "## How to run it",
                "The file names no prompt template, so whoever runs it has to. Here it is BayLing's:",
                block(bayling.replace(" --model", " --template bayling --model"), "sh"),
            ]
        )
    return "\n\n".join(
        [
            "## How to run it",
            "With bayling-lite, which translates documents and refines its drafts as you say:",
            block(bayling, "sh"),
            "With llama.cpp, which takes the prompt template from the file:",
            block(llama, "sh"),
            "With Ollama, from this `Modelfile` (`ollama create NAME -f Modelfile`):",
            block(_modelfile(contents, name)),
        ]
    )


def preferred(files: Iterable[CardFile]) -> CardFile:
    """The file to show commands with: Q4_K_M, else the smallest."""
    return min(files, key=lambda file: (file.file_type != "Q4_K_M", file.n_bytes, file.name))


def _direction(languages: tuple[str, ...]) -> tuple[str, str]:
    """A source and a target to show commands with."""
    known = [code for code in dict.fromkeys(languages) if code in _EXAMPLES]
    source = "en" if "en" in known or not known else known[0]
    return source, next((code for code in known if code != source), "zh" if source != "zh" else "en")


def _modelfile(contents: CardContents, name: str) -> str:
    lines = [f"FROM ./{name}"]
    template = TEMPLATES.get(contents.template or "")
    if template is not None:
        lines += [f'SYSTEM """{template.system}"""', f'TEMPLATE """{_go_template(template, _eos(contents))}"""']
        lines += [f'PARAMETER stop "{token}"' for token in contents.stop if _harmless(token)]
    return "\n".join([*lines, "PARAMETER temperature 0"])


def _eos(contents: CardContents) -> str:
    """The text of the token that ends an answer; SentencePiece vocabularies write it so unless they say otherwise."""
    return next((token for token in contents.stop if _harmless(token)), "</s>")


def _harmless(token: str) -> bool:
    """Whether the text of a token can stand in quotes in a Modelfile."""
    return one_line(token) == token and not any(character in token for character in '"\\')


def _go_template(template: PromptTemplate, eos: str) -> str:
    """The template in the language of Ollama, which writes BOS itself (https://docs.ollama.com/modelfile)."""
    asked = Conversation().with_system(_MARK).user(_MARK).assistant(_MARK).user(_MARK)
    before, after_system, after_user, after_answer, _ = template.text(asked, eos=eos).split(_MARK)
    # What stands before a request is the same after the system's text and after an answer: the end of both.
    ends = zip(reversed(after_system), reversed(after_answer), strict=False)
    n_common = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], ends)))
    common = after_system[len(after_system) - n_common :]
    return (
        f"{before}{{{{ .System }}}}{after_system.removesuffix(common)}"
        f'{{{{ range .Messages }}}}{{{{ if eq .Role "user" }}}}{common}{{{{ .Content }}}}{after_user}'
        f'{{{{ else if eq .Role "assistant" }}}}{{{{ .Content }}}}{after_answer.removesuffix(common)}'
        "{{ end }}{{ end }}"
    )


def prompt(contents: CardContents) -> str:
    """The prompt as it is written, and what ends an answer; empty when the file says nothing of it."""
    template = TEMPLATES.get(contents.template or "")
    parts = ["## The prompt"]
    if template is not None:
        asked = Conversation().user("First request").assistant("First answer").user("Next request")
        parts.append(f"Template {code(template.name)}, which the file names and holds as a chat template, too:")
        parts.append(block(template.text(asked, eos=_eos(contents))))
    elif contents.chat_template:
        parts.append("The checkpoint's own chat template, which the file holds:")
        parts.append(block(contents.chat_template, "jinja"))
    else:
        return ""
    if contents.stop:
        parts.append(f"An answer ends with {' or '.join(code(token) for token in contents.stop)}.")
    if contents.placeholders:
        names = ", ".join(f"{code(name)}: {plain(text)}" for name, text in V1_PLACEHOLDERS.items() if name != "\\n")
        parts.append(
            f"The model writes placeholders for its name and origin, which bayling-lite fills in ({names}), and the "
            "two characters `\\n` for a line break."
        )
    return "\n\n".join(parts)
