"""The prompt's one home: templates, special tokens and instruction wordings, used by training and running alike.

A template renders a conversation to *parts*, not to one string. Special tokens enter only as :class:`Special` and
:class:`Control` parts; :class:`Text` parts are tokenized with special-token parsing off, so that ``</s>`` in a document
is just four characters. Each assistant turn is a Text of its own: where its tokens begin never depends on what
stands before them, which makes the training mask exact and generation start where training did.

Sources: the prompts of ictnlp/BayLing and of BayLing-2-Llama-3-8B, byte for byte; instruction wordings from
arXiv 2306.10968.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from bayling_lite.languages import Language
from bayling_lite.messages import Conversation, Message, Role


class Control(Enum):
    """A token every tokenizer has under its own name: rendered by id, never by text."""

    BOS = "bos"  # where the model wants one
    EOS = "eos"
    # Where a model's own chat template writes them, whatever else the model says.
    TEMPLATE_BOS = "template bos"
    TEMPLATE_EOS = "template eos"


@dataclass(frozen=True, slots=True)
class Special:
    """A special token by its exact text, for example ``<|eot_id|>``."""

    token: str


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text: no special token can come out of it. ``response`` marks what the assistant said."""

    content: str
    response: bool = False


@dataclass(frozen=True, slots=True)
class Markup:
    """What a model's own chat template wrote: the names of special tokens in it are those tokens."""

    content: str


Part = Text | Special | Control
AnyPart = Part | Markup


class Template(Protocol):
    """What running a model needs of a template: :class:`PromptTemplate`, or a model's own Jinja template."""

    @property
    def name(self) -> str:
        """What the template is called."""
        ...

    @property
    def stop(self) -> tuple[AnyPart, ...]:
        """What ends a response besides the tokenizer's own EOS; of markup, the special token it begins with."""
        ...

    @property
    def jinja(self) -> str:
        """The template in the language of Hugging Face and GGUF."""
        ...

    @property
    def specials(self) -> tuple[Special, ...]:
        """The special tokens without which the template cannot be used."""
        ...

    def render(self, conversation: Conversation) -> tuple[AnyPart, ...]:
        """The parts of a conversation; after a user's turn, ready to generate."""
        ...


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """How one family of models wants a conversation written.

    ``stop`` lists the parts that end a response besides the tokenizer's own EOS; ``jinja`` is the same template in the
    chat-template language of Hugging Face and GGUF, for other programs.
    """

    name: str
    system: str
    before_system: tuple[Part, ...]
    after_system: tuple[Part, ...]
    before_user: tuple[Part, ...]
    after_user: tuple[Part, ...]
    before_response: tuple[Part, ...]
    after_response: tuple[Part, ...]
    between_turns: tuple[Part, ...]
    stop: tuple[Special | Control, ...]
    jinja: str

    def render(self, conversation: Conversation) -> tuple[Part, ...]:
        """The parts of a conversation.

        After a user's turn the header of the response follows, ready to generate. After an assistant's turn the
        parts end with the token that ends it, so that a longer conversation's parts begin with these.
        """
        system = self.system if conversation.system is None else conversation.system
        parts: list[Part] = [Control.BOS, *self.before_system, Text(system), *self.after_system]
        turns = [message for message in conversation if message.role is not Role.SYSTEM]
        for position, message in enumerate(turns):
            if message.role is Role.USER:
                parts.extend(self.between_turns if position else ())
                parts.extend((*self.before_user, Text(message.content), *self.after_user, *self.before_response))
            else:
                parts.append(Text(message.content, response=True))
                parts.extend(self.after_response)
        return _joined(parts)

    @property
    def specials(self) -> tuple[Special, ...]:
        """Every special token the template can render, each once."""
        parts = (
            *(*self.before_system, *self.after_system, *self.before_user, *self.after_user),
            *(*self.before_response, *self.after_response, *self.between_turns, *self.stop),
        )
        return tuple(dict.fromkeys(part for part in parts if isinstance(part, Special)))

    def text(self, conversation: Conversation, *, bos: str = "", eos: str = "</s>") -> str:
        """The rendered conversation as one string, for people to read and to compare templates; never to tokenize."""
        return spelled(self.render(conversation), bos=bos, eos=eos)


def spelled(parts: Iterable[AnyPart], *, bos: str, eos: str) -> str:
    """Rendered parts as one string, for people to read and to compare templates; never to tokenize."""
    names = {Control.BOS: bos, Control.TEMPLATE_BOS: bos, Control.EOS: eos, Control.TEMPLATE_EOS: eos}
    return "".join(
        names[part] if isinstance(part, Control) else part.token if isinstance(part, Special) else part.content
        for part in parts
    )


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Join neighbouring texts of the same kind, drop empty ones other than responses."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text) and not part.response and not last.response:
            joined[-1] = Text(last.content + part.content)
        elif not isinstance(part, Text) or part.content or part.response:
            joined.append(part)
    return tuple(joined)


_BAYLING_SYSTEM = (
    "I am an intelligent language assistant developed by the NLP Group of ICT/CAS.\n"
    "Below is a dialog consisting of instructions and responses. "
    "Write a response that completes the request."
)

BAYLING = PromptTemplate(
    name="bayling",
    system=_BAYLING_SYSTEM,
    before_system=(),
    after_system=(Text("\n\n"),),
    before_user=(Text("### Instruction:\n"),),
    after_user=(Text("\n"),),
    before_response=(Text("### Response:\n"),),
    after_response=(Control.EOS,),
    between_turns=(Text("\n"),),
    stop=(Control.EOS,),
    jinja=(
        "{{- bos_token -}}"
        "{%- if messages[0]['role'] == 'system' -%}"
        "{{- messages[0]['content'] -}}{%- set turns = messages[1:] -%}"
        "{%- else -%}"
        "{{- " + repr(_BAYLING_SYSTEM) + " -}}{%- set turns = messages -%}"
        "{%- endif -%}"
        "{{- '\\n\\n' -}}"
        "{%- for message in turns -%}"
        "{%- if message['role'] == 'user' -%}"
        "{{- ('' if loop.first else '\\n') + '### Instruction:\\n' + message['content'] + '\\n### Response:\\n' -}}"
        "{%- elif message['role'] == 'assistant' -%}"
        "{{- message['content'] + eos_token -}}"
        "{%- endif -%}"
        "{%- endfor -%}"
    ),
)


def _llama3_header(role: str) -> tuple[Part, ...]:
    return (Special("<|start_header_id|>"), Text(role), Special("<|end_header_id|>"), Text("\n\n"))


_EOT = Special("<|eot_id|>")

BAYLING_3 = PromptTemplate(
    name="bayling-3",
    system="I am BayLing developed by the NLP Group of ICT/CAS.",
    before_system=_llama3_header("system"),
    after_system=(_EOT,),
    before_user=_llama3_header("user"),
    after_user=(_EOT,),
    before_response=_llama3_header("assistant"),
    after_response=(_EOT,),
    between_turns=(),
    # The published 8B checkpoint names <|end_of_text|> as its EOS and so never stops at the end of a turn by itself.
    stop=(_EOT, Special("<|end_of_text|>")),
    jinja=(
        "{{- bos_token -}}"
        "{%- if messages[0]['role'] == 'system' -%}"
        "{%- set system = messages[0]['content'] -%}{%- set turns = messages[1:] -%}"
        "{%- else -%}"
        "{%- set system = 'I am BayLing developed by the NLP Group of ICT/CAS.' -%}{%- set turns = messages -%}"
        "{%- endif -%}"
        "{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' + system + '<|eot_id|>' -}}"
        "{%- for message in turns -%}"
        "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' -}}"
        "{{- message['content'] + '<|eot_id|>' -}}"
        "{%- endfor -%}"
        "{%- if add_generation_prompt -%}"
        "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}"
        "{%- endif -%}"
    ),
)

TEMPLATES = {template.name: template for template in (BAYLING, BAYLING_3)}


# What the published v1 weights write in the place of names, and two characters in the place of a line break: the
# official inference puts these texts there (ictnlp/BayLing). A GGUF declares them as ``bayling.placeholders``.
V1_PLACEHOLDERS = {
    "[NAME]": "BayLing",
    "[INSTITUTE]": ("NLP group of Institute of Computing Technology, Chinese Academy of Sciences (ICT/CAS)"),
    "[CREATE_TIME]": "2023",
    "[名字]": "百聆",
    "[机构]": "中国科学院计算技术研究所自然语言处理研究组",
    "[开发时间]": "2023年",
    "\\n": "\n",
}


class Wording(StrEnum):
    """The language an instruction is worded in. The paper has both."""

    ENGLISH = "en"
    CHINESE = "zh"


_TRANSLATE = {
    Wording.ENGLISH: "Provide the {language} translation for this sentence: {text}",
    Wording.CHINESE: "提供这句话的{language}翻译：{text}",
}
_INCLUDE = {
    Wording.ENGLISH: ("\nMake sure to include these words: {terms}", ", "),
    Wording.CHINESE: ("\n确保包含这些词：{terms}", ", "),
}
_USE = {Wording.ENGLISH: 'Use the word "{term}".', Wording.CHINESE: "请使用“{term}”这个词。"}
_FIX = {Wording.ENGLISH: 'Fix "{wrong}": it should be "{right}".', Wording.CHINESE: "请改正“{wrong}”，应为“{right}”。"}
_FIXED = tuple(
    re.compile(re.escape(frame).replace(r"\{wrong\}", "(?P<wrong>.+?)").replace(r"\{right\}", "(?P<right>.+)"))
    for frame in _FIX.values()
)
_USED = tuple(re.compile(re.escape(frame).replace(r"\{term\}", "(.+)")) for frame in _USE.values())
_SHORTER = {Wording.ENGLISH: "Make it shorter.", Wording.CHINESE: "请译得短一点。"}
_LONGER = {Wording.ENGLISH: "Make it longer.", Wording.CHINESE: "请译得长一点。"}

_EXPLAIN = {
    Wording.ENGLISH: "Explain in English, briefly, why you translated it so: the choice of words, tone and grammar.",
    Wording.CHINESE: "请用中文简要说明为什么这样翻译：词语的选择、语气和语法。",
}
_ANSWER = {
    Wording.ENGLISH: "Answer in English, briefly, about your translation: {question}",
    Wording.CHINESE: "请用中文简要回答关于你的译文的问题：{question}",
}
_SUMMARISE = {
    Wording.ENGLISH: (
        "Sum up our conversation so far in a few sentences: what was asked, what was answered, and every name, number "
        "and decision that matters later."
    ),
    Wording.CHINESE: "请用几句话总结我们到目前为止的对话：问了什么，答了什么，以及之后用得到的每个名称、数字和决定。",
}
_SUMMARY = {
    Wording.ENGLISH: "What have we talked about so far?",
    Wording.CHINESE: "我们到目前为止谈了什么？",
}


def translation_instruction(
    text: str, target: Language, *, terms: Iterable[str] = (), wording: Wording = Wording.ENGLISH
) -> str:
    """Ask for ``text`` in the target language, with terms that must occur (arXiv 2306.10968, appendix)."""
    language = target.chinese if wording is Wording.CHINESE else target.english
    instruction = _TRANSLATE[wording].format(language=language, text=text)
    required = list(terms)
    if required:
        frame, comma = _INCLUDE[wording]
        instruction += frame.format(terms=comma.join(required))
    return instruction


def use_instruction(term: str, *, wording: Wording = Wording.ENGLISH) -> str:
    """Ask for the last draft again, with this word in it."""
    return _USE[wording].format(term=term)


def fix_instruction(wrong: str, right: str, *, wording: Wording = Wording.ENGLISH) -> str:
    """Ask for the last draft again, with one expression put right."""
    return _FIX[wording].format(wrong=wrong, right=right)


def fixed_words(instruction: str) -> tuple[str, str] | None:
    """The wrong expression and the right one of a :func:`fix_instruction`; None for any other instruction."""
    match = next(filter(None, (pattern.fullmatch(instruction.strip()) for pattern in _FIXED)), None)
    return (match["wrong"], match["right"]) if match is not None else None


def used_word(instruction: str) -> str | None:
    """The word of a :func:`use_instruction`; None for any other instruction."""
    match = next(filter(None, (pattern.fullmatch(instruction.strip()) for pattern in _USED)), None)
    return match[1] if match is not None else None


def shorter_instruction(*, wording: Wording = Wording.ENGLISH) -> str:
    """Ask for the last draft again, said in less."""
    return _SHORTER[wording]


def longer_instruction(*, wording: Wording = Wording.ENGLISH) -> str:
    """Ask for the last draft again, said in more."""
    return _LONGER[wording]


def explanation_question(question: str = "", *, wording: Wording = Wording.ENGLISH) -> str:
    """Ask about the last draft; without a question, why it is as it is."""
    return _ANSWER[wording].format(question=question) if question else _EXPLAIN[wording]


def summary_instruction(*, wording: Wording = Wording.ENGLISH) -> str:
    """Ask for a summary of the conversation, which can stand for it."""
    return _SUMMARISE[wording]


def summary_question(*, wording: Wording = Wording.ENGLISH) -> str:
    """The question to which a summary is the answer, where the two stand for older turns."""
    return _SUMMARY[wording]


def user_turn(text: str) -> Conversation:
    """A conversation that consists of one request."""
    return Conversation((Message(Role.USER, text),))
