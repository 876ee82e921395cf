"""The forms in which a word is asked for, as patterns: English, Chinese, German, French.

Groups: ``right`` is the word that is wanted, ``wrong`` the one in the draft that it is to replace, ``of`` the one in
the source text that it is to stand for. ``frame`` and ``after`` ("the word", 这个词) say that a word is meant; ``weak``
is a verb that sentences to translate have as well.
"""

from __future__ import annotations

import functools
import re

from bayling_lite.prompts import Wording

Forms = tuple[tuple[Wording, str], ...]
Pattern = tuple[Wording, re.Pattern[str]]


@functools.cache
def compiled(forms: Forms) -> tuple[Pattern, ...]:
    """The patterns, compiled when the first line is read: a prompt does not wait for them."""
    return tuple((wording, re.compile(source, re.IGNORECASE | re.VERBOSE)) for wording, source in forms)


def _forms(wording: Wording, *sources: str) -> Forms:
    return tuple((wording, source) for source in sources)


# Said before the request itself.
OPENER = re.compile(
    r"(?:(?:no|nope|hm+|ok|okay|well|sorry|actually|but|now|nein|ja|aber|doch|jetzt|non|oui|mais|不对|不|嗯|好的?|那)"
    r"\s*[,，:：!！.。…、—-]+\s*)+",
    re.IGNORECASE,
)


_PLEASE = r"(?:,?\s+please)?"
_BITTE = r"(?:bitte\s+)?"
_SVP = r"(?:,?\s+(?:s['’]il\s+(?:te|vous)\s+plaît|svp))?"
_SAY = r"(?:use|say|write|put|take)"
_SAG = r"(?:verwenden?|benutzen?|nutzen?|nimm|nehmen|schreiben?|sag|sagen)(?:\s+Sie)?(?:\s+bitte)?"
_DIS = r"(?:utilise[rz]?|emploie|employer|employez|mets|mettez|dis|dites|écris|écrivez)"
_QING = r"(?:请你?|麻烦)?"
_YI = r"(?:翻译成|翻译为|翻译作|翻成|译成|译为|译作)"

# A word of the source and the one that is to stand for it: "translate token as 词元".
PAIR = (
    *_forms(
        Wording.ENGLISH,
        rf"(?:please\s+)? (?:translate|render) \s+ (?:the\s+(?:word|term)\s+)? (?P<of>.+?) \s+ (?:as|with|by) \s+"
        rf" (?P<right>.+?) {_PLEASE}",
        rf"(?:please\s+)? {_SAY} \s+ (?:the\s+(?:word|term)\s+)? (?P<right>.+?) \s+ for \s+ (?P<of>.+?) {_PLEASE}",
        r"(?P<of>.+?) \s+ (?:should|must|has\s+to) \s+ be \s+ (?:translated|rendered) \s+ (?:as|with|by) \s+"
        r" (?P<right>.+)",
        r"(?P<of>.+?) \s+ (?:is|gets) \s+ (?:translated|rendered) \s+ (?:as|with|by) \s+ (?P<right>.+)",
        r"(?P<of>.+?) \s+ (?P<weak> should\s+be | means | is ) \s+ (?P<right>.+?) (?:\s+(?:here|in\s+\w+))?",
        r"(?P<right>[^=]+?) \s* = \s* (?P<of>[^=]+)",
        r"(?P<of>[^=]+?) \s* (?:=|=>|->|→|⇒) \s* (?P<right>[^=]+)",
        rf"{_BITTE} (?:übersetzen?|übersetz) (?:\s+Sie)? (?:\s+bitte)? \s+ (?P<of>.+?) \s+ (?:mit|als|durch) \s+"
        r" (?P<right>.+)",
        rf"{_BITTE} (?P<of>.+?) \s+ (?:bitte\s+)? (?:mit|als|durch) \s+ (?P<right>.+?) \s+ übersetzen",
        rf"{_BITTE} {_SAG} \s+ (?P<right>.+?) \s+ für \s+ (?P<of>.+)",
        r"(?P<of>.+?) \s+ (?:soll(?:te)?|muss|wird) \s+ (?:bitte\s+)? (?:mit|als|durch) \s+ (?P<right>.+?) \s+"
        r" übersetzt (?:\s+werden)?",
        r"(?P<of>.+?) \s+ (?P<weak> heißt | bedeutet ) \s+ (?:hier\s+)? (?P<right>.+?) (?:\s+hier)?",
        rf"(?:traduis|traduisez|traduire|rends|rendez) \s+ (?P<of>.+?) \s+ par \s+ (?P<right>.+?) {_SVP}",
        rf"{_DIS} \s+ (?P<right>.+?) \s+ pour \s+ (?P<of>.+?) {_SVP}",
        r"(?P<of>.+?) \s+ (?:(?:doit|devrait) \s+ (?:être\s+traduite?|se\s+traduire) | se\s+traduit) \s+ par \s+"
        r" (?P<right>.+)",
        r"(?P<of>.+?) \s+ (?P<weak> veut\s+dire | signifie ) \s+ (?:ici\s+)? (?P<right>.+?) (?:\s+ici)?",
    ),
    *_forms(
        Wording.CHINESE,
        rf"{_QING} [把将]? (?P<of>.+?) (?:应该?|要|都|统一|最好)* {_YI} (?P<right>.+?) [吧]?",
        rf"{_QING} (?:使用|用) (?P<right>.+?) 来? (?:翻译|译|表示|对应) (?P<of>.+?) [吧]?",
        r"(?P<of>.+?) (?:的(?:翻译|译法|译文)|的意思) (?:应该|应)? (?:是|为|用) (?P<right>.+)",
        r"(?P<of>.+?) (?P<weak>应该是|应为|就是|是指|指的是) (?P<right>.+)",
    ),
)

# What stays as it is: "don't translate token".
KEEP = (
    *_forms(
        Wording.ENGLISH,
        rf"(?:please\s+)? (?:don['’]t|do\s+not|never) \s+ translate \s+ (?:the\s+(?:word|term|name)\s+)?"
        rf" (?P<right>.+?) {_PLEASE}",
        rf"(?:please\s+)? (?:keep|leave) \s+ (?:the\s+(?:word|term|name)\s+)? (?P<right>.+?) \s+"
        rf" (?:as\s+(?:it\s+)?is|untranslated|in\s+English|in\s+German|in\s+French|in\s+Chinese|in\s+the\s+original)"
        rf" {_PLEASE}",
        rf"{_BITTE} (?P<right>.+?) \s+ (?:bitte\s+)? (?:nicht|unübersetzt) \s+ (?:übersetzen|lassen)",
        r"(?:übersetz|übersetzen?) (?:\s+Sie)? \s+ (?P<right>.+?) \s+ (?:bitte\s+)? nicht",
        rf"{_BITTE} lass(?:en\s+Sie)? \s+ (?P<right>.+?) \s+ (?:bitte\s+)?"
        r" (?:unübersetzt|auf\s+(?:Deutsch|Englisch|Französisch|Chinesisch))",
        rf"ne \s+ (?:traduis|traduisez) \s+ pas \s+ (?P<right>.+?) {_SVP}",
        rf"(?:garde|gardez|laisse|laissez) \s+ (?P<right>.+?) \s+"
        r" (?:tel\s+quel|telle\s+quelle|en\s+(?:anglais|allemand|français|chinois))"
        rf" {_SVP}",
    ),
    *_forms(
        Wording.CHINESE,
        rf"{_QING} (?:不要|别|不用|不必) (?:翻译|译) (?P<right>.+)",
        rf"{_QING} (?P<right>.+?) (?:请?不要|别|不用|不必|不需要|不) (?:翻译|译) [了]?",
        rf"{_QING} 保留 (?P<right>.+?) (?:的?原文|不译|不翻译)",
        rf"{_QING} (?P<right>.+?) (?:请?保留|保持) (?:原文|原样|英文|中文|不变)",
    ),
)

# A word of the draft and the one that is to stand in its place: "A should be B".
FIX = (
    *_forms(
        Wording.CHINESE,
        rf"{_QING} (?:改正|纠正|修改) (?P<wrong>.+?) [，,：:\s]* (?:应为|应该是|应该为|应改为|改成|改为)"
        r" (?P<right>.+)",
        rf"{_QING} [把将] (?P<wrong>.+?) (?:改成|改为|换成|换为|替换成|替换为|{_YI}) (?P<right>.+?) (?:吧|好吗)?",
        rf"{_QING} (?:使用|改用|用) (?P<right>.+?) (?:代替|替换|替代|取代|而不是|，?不要用) (?P<wrong>.+?) (?:吧)?",
        rf"(?P<wrong>.+?) (?:应为|应该是|应该为|应该改成|应该改为|应改为|应该?{_YI}) (?P<right>.+)",
        rf"{_QING} (?:不要|别|不) 再? (?:使?用|说|写) (?P<wrong>.+?) [，,；;、\s]+ (?:要|改|而是|应该|请)*"
        r" (?:使?用|说|写) (?P<right>.+)",
    ),
    *_forms(
        Wording.ENGLISH,
        r"(?:please\s+)? (?:fix|correct|change) \s+ (?P<wrong>.+?) \s*[:,;]\s* (?:it|that|this) \s+ should \s+"
        r" (?:be|read|say) \s+ (?P<right>.+)",
        r"(?:please\s+)? (?:replace|change|correct|fix|swap|exchange) \s+ (?P<wrong>.+?) \s+"
        rf" (?:with|by|to|into|for) \s+ (?P<right>.+?) {_PLEASE}",
        rf"(?:please\s+)? (?:{_SAY} \s+)? (?P<right>.+?) \s+ (?:instead\s+of|rather\s+than|in\s+place\s+of) \s+"
        rf" (?P<wrong>.+?) {_PLEASE}",
        r"(?:please\s+)? (?:use|say|write) \s+ (?P<right>.+?) ,?\s+ not \s+ (?P<wrong>.+)",
        rf"(?P<wrong>.+?) \s+ should \s+ (?:be|read|say) \s+ (?P<right>.+?) {_PLEASE}",
        # German and French; the models have only the English and the Chinese wording, so these become English.
        rf"{_BITTE} (?:ersetzen?|ändern?|ändre|tauschen?|korrigieren?) (?:\s+Sie)? (?:\s+bitte)? \s+"
        r" (?P<wrong>.+?) \s+ (?:durch|gegen|in|zu) \s+ (?P<right>.+)",
        rf"{_BITTE} (?P<wrong>.+?) \s+ durch \s+ (?P<right>.+?) \s+ ersetzen",
        rf"{_BITTE} (?:{_SAG} \s+)? (?P<right>.+?) \s+ (?:anstelle\s+von|anstatt|statt) \s+ (?P<wrong>.+)",
        r"(?P<wrong>.+?) \s+ soll(?:te)? \s+ (?P<right>.+?) \s+ (?:heißen|lauten|sein)",
        r"(?:remplacer?|remplacez|changer?|changez|corriger?|corrigez) \s+ (?P<wrong>.+?) \s+ (?:par|en) \s+"
        r" (?P<right>.+)",
        rf"(?:{_DIS} \s+)? (?P<right>.+?) \s+ (?:au\s+lieu\s+de|plutôt\s+que|à\s+la\s+place\s+de) \s+"
        r" (?P<wrong>.+)",
        r"(?P<wrong>.+?) \s+ devrait \s+ être \s+ (?P<right>.+)",
    ),
)

# The same in forms that many sentences have: they count only where the wrong word stands in the draft.
LOOSE_FIX = (
    *_forms(
        Wording.CHINESE,
        r"不是 (?P<wrong>.+?) [，,、\s]* (?:而?是|应该是|应为) (?P<right>.+)",
        r"(?:应该)?是 (?P<right>.+?) [，,、\s]* 而?不是 (?P<wrong>.+)",
        r"(?P<wrong>.+?) (?:请?改成|请?改为|请?换成|请?换为|替换成|替换为) (?P<right>.+?) 吧?",
        r"(?P<wrong>.+?) 不如 (?P<right>.+?) (?:好|合适|准确|自然|贴切)?",
        r"(?P<right>.+?) 比 (?P<wrong>.+?) 更? (?:好|合适|准确|自然|贴切)",
    ),
    *_forms(
        Wording.ENGLISH,
        r"(?:it['’]s|it\s+is|it\s+should\s+be) \s+ (?P<right>.+?) ,?\s+ not \s+ (?P<wrong>.+)",
        r"(?P<right>.+?) ,\s+ (?:not|nicht|pas) \s+ (?P<wrong>.+)",
        r"(?:it['’]s\s+|it\s+is\s+)? not \s+ (?P<wrong>.+?) ,?\s+ (?:but|it['’]s|it\s+is|it\s+should\s+be) \s+"
        r" (?P<right>.+)",
        r"(?:please\s+)? (?:don['’]t|do\s+not) \s+ (?:use|say|write) \s+ (?P<wrong>.+?) \s*[,;:.]\s*"
        r" (?:(?:but|use|say|write|rather)\s+)* (?P<right>.+)",
        r"(?P<wrong>.+?) \s+ is \s+ wrong \s*[,;:.]\s* (?:(?:use|say|it\s+should\s+be|should\s+be) \s+)? (?P<right>.+)",
        r"(?P<right>.+?) \s+ (?:is|sounds|fits|reads|would\s+be) \s+ (?:much\s+)? better \s+ than \s+ (?P<wrong>.+)",
        r"I (?:\s+would|['’]d)? \s+ (?:prefer|rather\s+have) \s+ (?P<right>.+?) \s+ (?:to|over|than) \s+ (?P<wrong>.+)",
        r"(?P<wrong>.+?) \s* (?:=>|-->|->|→|⇒) \s* (?P<right>.+)",
        r"(?:please\s+)? (?:turn|rename|make) \s+ (?P<wrong>.+?) \s+ (?:to|into) \s+ (?P<right>.+)",
        r"(?:es\s+heißt\s+|es\s+ist\s+)? nicht \s+ (?P<wrong>.+?) ,?\s+ sondern \s+ (?P<right>.+)",
        r"(?:es\s+heißt|richtig\s+ist|besser\s+ist) \s+ (?P<right>.+?) ,?\s+ (?:und\s+)? nicht \s+ (?P<wrong>.+)",
        r"(?P<wrong>.+?) \s+ ist \s+ falsch \s*[,;:.]\s* (?:(?:richtig\s+(?:ist|wäre)|es\s+heißt|besser) :?\s+)?"
        r" (?P<right>.+)",
        r"(?P<right>.+?) \s+ (?:ist|wäre|klingt|passt) \s+ (?:viel\s+)? besser \s+ als \s+ (?P<wrong>.+)",
        rf"(?:{_SAG} \s+)? lieber \s+ (?P<right>.+?) \s+ als \s+ (?P<wrong>.+)",
        r"(?:ce\s+n['’]est\s+)? pas \s+ (?P<wrong>.+?) ,?\s+ (?:mais|c['’]est) \s+ (?P<right>.+)",
        r"je \s+ (?:préfère|préférerais) \s+ (?P<right>.+?) \s+ à \s+ (?P<wrong>.+)",
        r"(?P<right>.+?) \s+ (?:est|serait|sonne) \s+ mieux \s+ que \s+ (?P<wrong>.+)",
    ),
)

# A word alone: "use 早安".
USE = (
    *_forms(
        Wording.CHINESE,
        rf"{_QING} (?:应该?|要|最好|建议|还是|可以)? (?:使用|改用|采用|改成|改为|换成|用)"
        r" \s* (?P<frame>(?:词语|单词|术语|词(?=[\s“「『\x22])) \s*)? (?P<right>.+?)"
        r" (?P<after> \s* (?:这个词语?|一词|这个说法|这个术语|这个单词))? (?:吧)?",
    ),
    *_forms(
        Wording.ENGLISH,
        r"(?:please\s+)? (?:use|say|write) \s+ (?P<frame> (?:the|this) \s+ (?:words?|term|phrase|expression) \s+)?"
        rf" (?P<right>.+?) (?:\s+(?:instead|here))? {_PLEASE}",
        rf"{_BITTE} {_SAG} (?:\s+lieber)? \s+ (?P<frame> (?:das|den|die) \s+ (?:Wort|Wörter|Begriff|Ausdruck) \s+)?"
        r" (?P<right>.+?) (?:\s+bitte)?",
        r"(?:bitte\s+) (?P<frame> (?:das|den|die) \s+ (?:Wort|Wörter|Begriff|Ausdruck) \s+)? (?P<right>.+?) \s+"
        r" (?:verwenden|benutzen|nutzen|nehmen)",
        rf"{_DIS} \s+ (?:plutôt\s+)? (?P<frame> (?:le|les|l['’]) \s* (?:mots?|terme|expression) \s+)? (?P<right>.+?)"
        rf" {_SVP}",
    ),
)

# The same in forms that many sentences have: they count only for words in quotation marks or in a script of their own.
LOOSE_USE = (
    *_forms(
        Wording.CHINESE,
        r"(?P<right>.+?) \s* (?:更好|比较好|更合适|更准确|更自然|怎么样)",
        r"(?:叫|说|写) (?P<right>.+?) (?:更好|比较好|吧)?",
    ),
    *_forms(
        Wording.ENGLISH,
        r"(?:(?:it|this|that) \s+)? should \s+ (?:be|say|read) \s+ (?P<right>.+)",
        r"(?:how|what) \s+ about \s+ (?P<right>.+)",
        rf"(?:try|go\s+with|take|call\s+it|better|rather|maybe|perhaps) \s*:?\s+ (?P<right>.+?) (?:\s+instead)?"
        rf" {_PLEASE}",
        r"(?P<right>.+?) \s+ (?:is|sounds|fits|would\s+be|would\s+sound) \s+ (?:much\s+)? better (?:\s+here)?",
        r"I (?:\s+would|['’]d)? \s+ (?:prefer|rather\s+have) \s+ (?P<right>.+)",
        r"(?:lieber|besser|wie\s+wäre(?:\s+es\s+mit)?|vielleicht|es\s+heißt) \s*:?\s+ (?P<right>.+)",
        r"(?P<right>.+?) \s+ (?:ist|wäre|klingt|passt) \s+ (?:viel\s+)? besser (?:\s+hier)?",
        r"(?:plutôt|mieux|mieux\s+vaut|pourquoi\s+pas|je\s+préfère) \s*:?\s+ (?P<right>.+)",
        r"(?P<right>.+?) \s+ (?:est|serait|sonne) \s+ mieux (?:\s+ici)?",
    ),
)
