"""Forms of the same word, by short lists and endings: enough to tell a mistake in grammar from a wrong word.

A form that is not listed counts as another word: what is called a matter of grammar here is one; not every one is
found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Each line: the forms of one word that take each other's place when grammar goes wrong. Between forms on different
# sides of a slash, a sentence is mostly as right with one as with the other ("they leave", "they left"): it only says
# another thing.
_ENGLISH = """
a an the
am is are / was were / be been being
have has having / had
do does doing / did done
will / would
shall / should
can / could
may / might
go goes going / went gone
come comes coming / came
see sees seeing / saw seen
take takes taking / took taken
give gives giving / gave given
get gets getting / got gotten
make makes making / made
say says saying / said
tell tells telling / told
think thinks thinking / thought
know knows knowing / knew known
find finds finding / found
leave leaves leaving / left
feel feels feeling / felt
bring brings bringing / brought
buy buys buying / bought
keep keeps keeping / kept
begin begins beginning / began begun
write writes writing / wrote written
speak speaks speaking / spoke spoken
eat eats eating / ate eaten
drink drinks drinking / drank drunk
meet meets meeting / met
lose loses losing / lost
pay pays paying / paid
sit sits sitting / sat
stand stands standing / stood
run runs running / ran
break breaks breaking / broke broken
fall falls falling / fell fallen
teach teaches teaching / taught
sleep sleeps sleeping / slept
win wins winning / won
build builds building / built
send sends sending / sent
hear hears hearing / heard
drive drives driving / drove driven
sing sings singing / sang sung
swim swims swimming / swam swum
forget forgets forgetting / forgot forgotten
child children
man men
woman women
foot feet
tooth teeth
mouse mice
person people
he him
she her
we us
they them
who whom
good / better / best
bad / worse / worst
isn't aren't / wasn't weren't
doesn't don't / didn't
hasn't haven't / hadn't
"""
_GERMAN = """
der die das den dem des
ein eine einen einem einer eines
kein keine keinen keinem keiner keines
mein meine meinen meinem meiner meines
dein deine deinen deinem deiner deines
sein seine seinen seinem seiner seines
ihr ihre ihren ihrem ihrer ihres
unser unsere unseren unserem unserer unseres
dieser diese dieses diesen diesem
jeder jede jedes jeden jedem
im in ins
am an ans
zum zur zu
vom von
beim bei
bin bist ist sind seid / war warst waren wart / sei / wäre wären / gewesen / sein
habe hast hat haben habt / hatte hattest hatten hattet / hätte hätten / gehabt
werde wirst wird werden werdet / wurde wurden / würde würden / geworden / worden
kann kannst können könnt / konnte konnten / könnte könnten
muss musst müssen müsst / musste mussten / müsste müssten
soll sollst sollen sollt / sollte sollten
will willst wollen wollt / wollte wollten
darf darfst dürfen dürft / durfte durften / dürfte
mag magst mögen mögt / mochte mochten / möchte möchten
weiß weißt wissen wisst / wusste wussten / gewusst
gehe gehst geht gehen / ging gingen / gegangen
komme kommst kommt kommen / kam kamen / gekommen
sehe siehst sieht sehen seht / sah sahen / gesehen
nehme nimmst nimmt nehmen nehmt / nahm nahmen / genommen
gebe gibst gibt geben gebt / gab gaben / gegeben
spreche sprichst spricht sprechen sprecht / sprach sprachen / gesprochen
esse isst essen esst / aß aßen / gegessen
lese liest lesen lest / las lasen / gelesen
fahre fährst fährt fahren fahrt / fuhr fuhren / gefahren
schlafe schläfst schläft schlafen schlaft / schlief schliefen / geschlafen
laufe läufst läuft laufen lauft / lief liefen / gelaufen
finde findest findet finden / fand fanden / gefunden
lasse lässt lassen lasst / ließ ließen / gelassen
helfe hilfst hilft helfen helft / half halfen / geholfen
ich mich mir
du dich dir
er ihn ihm
wir uns
wer wen wem wessen
"""
_FRENCH = """
le la les l'
un une des
du de d'
au à aux
ce cet cette ces
mon ma mes
ton ta tes
son sa ses
notre nos
votre vos
leur leurs
quel quelle quels quelles
tout toute tous toutes
suis es est sommes êtes sont / étais était étions étaient / été être / serai sera seront / serait / soit
ai as a avons avez ont / avais avait avaient / avoir eu / aura auront / aurait
vais vas va allons allez vont / allait / allé allée aller / ira
fais fait faisons faites font / faisait / faire / fera
peux peut pouvons pouvez peuvent / pouvait / pu pouvoir / pourra / pourrait
veux veut voulons voulez veulent / voulait / voulu vouloir / voudrait
dois doit devons devez doivent / devait / dû devoir / devrait
sais sait savons savez savent / savait / su savoir
viens vient venons venez viennent / venait / venu venir / viendra
prends prend prenons prenez prennent / prenait / pris prendre
dis dit disons dites disent / disait / dire
vois voit voyons voyez voient / voyait / vu voir
mets met mettons mettez mettent / mettait / mis mettre
je j'
me m'
te t'
se s'
que qu'
ne n'
il / elle
ils / elles
beau bel belle beaux belles
nouveau nouvel nouvelle nouveaux nouvelles
vieux vieil vieille vieilles
"""
_LINES: Mapping[str, str] = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH}


def _listed(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


# The bare stem is a form in each.
_ENDINGS: Mapping[str, frozenset[str]] = {
    "en": _listed("s es ed d ing er est e y ies ied") | {""},
    "de": _listed("e en em er es s n t st te ten test et ern") | {""},
    "fr": _listed(
        "s x e es é ée és ées er ez ons ent ais ait aient ai a ant era ir it is issent al aux eux euse el elle",
        "if ive ifs ives",
    )
    | {""},
}
# Fewer letters in common may be chance.
_LEAST_STEM = 3

PARTICLES = frozenset("了过着的得地")
"""Chinese particles that mark aspect or what belongs to what."""
MEASURES = frozenset(
    "个位名只条张本支枝把件套双对块片朵棵颗粒根座间家所栋幢辆架艘台部首幅封篇句段顿场杯瓶碗盒包袋匹头口群"
)
"""Chinese measure words."""
ARTICLES: Mapping[str, frozenset[str]] = {
    "en": _listed("a an the"),
    "de": _listed("der die das den dem des ein eine einen einem einer eines"),
    "fr": _listed("le la les l' un une des du"),
}
"""Words that stand before a noun or are left out by mistake."""
AUXILIARIES: Mapping[str, frozenset[str]] = {
    "en": _listed("am is are was were be been being have has had do does did will would"),
    "de": _listed(
        "bin bist ist sind seid war warst waren wart habe hast hat haben habt hatte hatten",
        "werde wirst wird werden werdet wurde wurden",
    ),
    "fr": _listed("suis es est sommes êtes sont était étaient ai as a avons avez ont avait avaient"),
}
"""Words that a tense is made with; whole verbs of their own elsewhere."""


@dataclass(frozen=True, slots=True)
class _Paradigm:
    """All forms of a word, and those of them that go wrong in the place of one of the group."""

    forms: frozenset[str]
    group: frozenset[str]


def _paradigms(lines: str) -> dict[str, tuple[_Paradigm, ...]]:
    found: dict[str, tuple[_Paradigm, ...]] = {}
    for line in lines.splitlines():
        forms = frozenset(line.replace("/", " ").split())
        for group in line.split("/"):
            for word in group.split():
                found[word] = (*found.get(word, ()), _Paradigm(forms, frozenset(group.split())))
    return found


_PARADIGMS = {code: _paradigms(lines) for code, lines in _LINES.items()}
_PAST = frozenset(word for line in _ENGLISH.splitlines() for word in line.partition("/")[2].split())


def ending(word: str, code: str) -> str:
    """What the form of a word tells of its number, person or tense: words of different ones cannot take each other's
    place. English: of a verb; French: of an adjective or participle.
    """  # fmt: skip
    if code == "en":
        if word in _PAST:
            return "ed"
        return next((end for end in ("ing", "ed", "ly", "s") if word.endswith(end) and not word.endswith("ss")), "")
    if code == "fr":
        return next((end for end in ("ées", "és", "ée", "é", "ment", "es", "s", "x", "er") if word.endswith(end)), "")
    if code == "de":
        return next((end for end in ("en", "em", "er", "es", "e", "st", "t") if word.endswith(end)), "")
    return ""


def same_word(first: str, second: str, code: str) -> bool:
    """Whether two words are, or look like, forms of one, in the language of this code; never for Chinese."""
    first, second = first.casefold(), second.casefold()
    if first == second:
        return True
    if any(second in paradigm.forms for paradigm in _PARADIGMS.get(code, {}).get(first, ())):
        return True
    endings = _ENDINGS.get(code)
    if endings is None or first[:1].isdigit():
        return False
    stem = _common_start(first, second)
    # The stem may end before a letter that both endings begin with: "liebt", "liebte".
    return any(
        _ends(first[cut:], first[:cut], endings) and _ends(second[cut:], first[:cut], endings)
        for cut in range(_LEAST_STEM, stem + 1)
    )


def _ends(rest: str, stem: str, endings: Iterable[str]) -> bool:
    # "stop", "stopped": the last letter of the stem once more.
    return rest in endings or (rest[:1] == stem[-1] and rest[1:] in endings and len(rest) > 1)


def _common_start(first: str, second: str) -> int:
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length


def other_forms(word: str, code: str) -> tuple[str, ...]:
    """Listed forms of the same word that are wrong in the place of this one, in alphabetical order; none where it
    could be two words'.
    """  # fmt: skip
    paradigms = _PARADIGMS.get(code, {}).get(word, ())
    return tuple(sorted(paradigms[0].group - {word})) if len(paradigms) == 1 else ()
