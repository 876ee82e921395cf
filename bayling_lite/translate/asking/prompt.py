"""What a model is asked for a segment: a conversation, and what the answer must have."""

from __future__ import annotations

from dataclasses import dataclass

from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, translation_instruction
from bayling_lite.translate.asking.budget import encodable
from bayling_lite.translate.asking.ladder import Rung
from bayling_lite.translate.asking.prefaces import sentence_preface
from bayling_lite.translate.asking.projection import plainly
from bayling_lite.translate.asking.stand_ins import StandIns, with_stand_ins
from bayling_lite.translate.asking.values import SegmentRequest
from bayling_lite.translate.markup import Tagged, tagged


@dataclass(frozen=True, slots=True)
class Question:
    """A text to ask for, as the model sees it. ``tags`` is None where the text goes without its codes."""

    text: str
    words: tuple[str, ...]
    tags: Tagged | None
    conversation: Conversation
    stand_ins: StandIns


def question(request: SegmentRequest, rung: Rung, preface: str, wording: Wording) -> Question:
    """How to ask on a rung of the ladder.

    What is the same for a whole text stands first (``preface``); translations of similar texts are turns before the
    last one; the paper's sentence comes last.
    """
    tags = tagged(request.source) if rung.tags in ("shown", "required") else None
    stand_ins = with_stand_ins(request.source) if rung.tags == "named" else StandIns(request.source)
    text = tags.text if tags is not None else plainly(stand_ins.source)
    words = tuple(dict.fromkeys(target for _, target in request.terms))
    about = sentence_preface(
        tags=bool(tags is not None and tags.tags),
        notes=request.notes if rung.around else "",
        before=request.before if rung.around else (),
        after=request.after if rung.around else (),
        wording=wording,
    )
    turns = Conversation()
    for example, translation in request.examples if rung.around else ():
        turns = turns.user(encodable(preface + _sentence(example, request.target, (), wording)))
        turns = turns.assistant(encodable(translation))
        preface = ""
    last = preface + about + _sentence(text, request.target, words, wording)
    # A number comes back by itself, and in a worse place where it is searched for.
    required = [word for word, _ in stand_ins.words if rung.decoding != "asked" or not word.isdigit()]
    return Question(text, (*words, *required), tags, turns.user(encodable(last)), stand_ins)


def _sentence(text: str, target: Language, words: tuple[str, ...], wording: Wording) -> str:
    return translation_instruction(text, target, terms=words, wording=wording)
