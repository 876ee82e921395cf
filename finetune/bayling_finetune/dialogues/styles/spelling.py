"""British and American spelling, and German as it is written in Switzerland.

Listed are words that mean the same in both spellings wherever they occur; ``practice``, ``meter``, ``program``,
``check``, ``tire``, ``story``, ``license`` and others that have two senses in one of them are not. Their inflected
forms follow by rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bayling_finetune.dialogues.styles.values import Variant
from bayling_finetune.dialogues.wording import Style

# British, American. An ending after ~ belongs to both.
_PAIRS = """
colour~,s,ed,ing,ful,less color
favour~,s,ed,ing,able,ably favor
favourite~,s favorite
flavour~,s,ed,ing flavor
honour~,s,ed,ing,able honor
humour~,s humor
labour~,s,ed,ing,er,ers labor
neighbour~,s,ing,hood,hoods,ly neighbor
behaviour~,s,al behavior
harbour~,s,ed,ing harbor
rumour~,s,ed rumor
vapour~,s vapor
odour~,s,less odor
tumour~,s tumor
armour~,ed armor
endeavour~,s,ed,ing endeavor
saviour~,s savior
parlour~,s parlor
splendour~ splendor
vigour~ vigor
rancour~ rancor
candour~ candor
centre~,s center
centred~ centered
theatre~,s theater
litre~,s liter
kilometre~,s kilometer
centimetre~,s centimeter
millimetre~,s millimeter
fibre~,s fiber
calibre~ caliber
sombre~ somber
lustre~ luster
spectre~,s specter
defence~,s,less defense
offence~,s offense
pretence~,s pretense
grey~,s,er,ish gray
aluminium~ aluminum
pyjamas~ pajamas
moustache~,s mustache
jewellery~ jewelry
sceptic~,s,al,ally,ism skeptic
mould~,s,y mold
plough~,s,ed,ing plow
cosy~ cozy
catalogue~,s catalog
travell~ed,ing,er,ers travel
cancell~ed,ing cancel
quarrell~ed,ing quarrel
marvell~ous marvel
woollen~ woolen
modell~ed,ing model
signall~ed,ing signal
labell~ed,ing label
levell~ed,ing level
fuell~ed,ing fuel
counsell~or,ors,ing counsel
jewell~er,ers jewel
skilful~,ly skillful
wilful~,ly willful
fulfil~,s fulfill
enrol~,s enroll
instalment~,s installment
anaesthetic~,s anesthetic
encyclopaedia~,s encyclopedia
manoeuvre~,s maneuver
oestrogen~ estrogen
diarrhoea~ diarrhea
haemorrhage~,s hemorrhage
paediatrician~,s pediatrician
foetus~ fetus
realis~e,es,ed,ing,ation realiz
recognis~e,es,ed,ing,able recogniz
organis~e,es,ed,ing,ation,ations,er,ers organiz
apologis~e,es,ed,ing apologiz
criticis~e,es,ed,ing criticiz
emphasis~e,ed,ing emphasiz
memoris~e,es,ed,ing memoriz
specialis~e,es,ed,ing,ation specializ
summaris~e,es,ed,ing summariz
sympathis~e,es,ed,ing sympathiz
symbolis~e,es,ed,ing symboliz
utilis~e,es,ed,ing,ation utiliz
generalis~e,es,ed,ing,ation generaliz
minimis~e,es,ed,ing minimiz
maximis~e,es,ed,ing maximiz
modernis~e,es,ed,ing,ation moderniz
normalis~e,es,ed,ing,ation normaliz
optimis~e,es,ed,ing,ation optimiz
initialis~e,es,ed,ing,ation initializ
synchronis~e,es,ed,ing,ation synchroniz
customis~e,es,ed,ing,ation customiz
visualis~e,es,ed,ing,ation visualiz
serialis~e,es,ed,ing,ation serializ
authoris~e,es,ed,ing,ation authoriz
civilis~e,ed,ation,ations civiliz
colonis~e,es,ed,ing,ation coloniz
fertilis~e,es,ed,er,ers fertiliz
hypnotis~e,es,ed,ing hypnotiz
legalis~e,es,ed,ing,ation legaliz
mobilis~e,es,ed,ing,ation mobiliz
paralys~e,es,ed,ing paralyz
analys~e,ed,ing analyz
penalis~e,es,ed,ing penaliz
prioritis~e,es,ed,ing prioritiz
standardis~e,es,ed,ing,ation standardiz
stabilis~e,es,ed,ing stabiliz
terroris~e,es,ed,ing terroriz
visualisation~,s visualization
vandalis~e,ed,ing vandaliz
victimis~e,ed,ing victimiz
"""


def _entries() -> Iterator[tuple[str, str]]:
    for line in _PAIRS.split("\n"):
        if line:
            british, american = line.split()
            stem, _, endings = british.partition("~")
            yield from ((stem + ending, american + ending) for ending in endings.split(","))


AMERICAN_OF = dict(_entries())
"""British words in small letters, with their American spelling."""
BRITISH_OF = {american: british for british, american in AMERICAN_OF.items()}
_WORD = re.compile(r"[^\W\d_]+")
# What may stand beside a word of running text; anything else may be code, as in ``background-color``.
_LEFT, _RIGHT = " \n\"'“‘(", " \n\"'”’).,;:!?"


def variants(text: str, code: str) -> list[Variant]:
    """The text in another country's spelling, where one of its words differs there; English and German."""
    if code == "de":
        if "ß" not in text or "ẞ" in text:
            return []
        return [Variant(text.replace("ß", "ss"), Style.SWISS, Style.ESZETT)]
    if code != "en":
        return []
    american, british = _spelled(text, AMERICAN_OF), _spelled(text, BRITISH_OF)
    if american is not None:
        return [Variant(american, Style.AMERICAN, Style.BRITISH if british is None else None)]
    return [] if british is None else [Variant(british, Style.BRITISH, Style.AMERICAN)]


def _spelled(text: str, words: dict[str, str]) -> str | None:
    """The text with the listed words spelled otherwise; None where there are none, or one may be a name or code."""
    certain = True

    def other(match: re.Match[str]) -> str:
        nonlocal certain
        word = match[0]
        listed = words.get(word.casefold())
        if listed is None:
            return word
        before, after = text[: match.start()], text[match.end() :]
        # Only the first word of a sentence has a capital letter without being part of a name.
        begins = before.rstrip(_LEFT)[-1:] in ("", ".", "!", "?")
        if before[-1:] not in _LEFT or after[:1] not in _RIGHT or not (word.islower() or (begins and word.istitle())):
            certain = False
            return word
        return listed if word.islower() else listed.capitalize()

    changed = _WORD.sub(other, text)
    return changed if certain and changed != text else None
