"""Small words that give a language away, also in a text of five words."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from bayling_lite.languages import Language

_TABLE = {
    "en": """the of and to is was are were be been has have had do does did not this that these those with from for by
        an it he she they we you his her their our your my its which who what when where how why will would can
        could should there here if than then as at but or so very all some any no into about after before over
        because i i'm don't it's let's i'll you're on out up only like more most other such also just me us him
        them being may might must one own same each every while through between without within during never always
        again get got make made let please doing a am too now off down both few many much yes upon until since
        whether""",
    "de": """der die das den dem des ein eine einen einem einer eines und ist war sind waren sein wird werden wurde
        wurden hat haben hatte nicht mit von für auf aus bei nach zu zum zur im am als auch sich es er sie wir ihr
        ich du mein dein seine ihre ihren unser kein keine wie wenn dass daß aber oder nur noch schon sehr wo wer
        wann warum über unter durch gegen kann können muss müssen diese dieser dieses mich dich uns ihnen ihm ihn
        man etwas nichts weil denn doch also dann damit dabei ohne um bis seit während jeder jede jedes alle alles
        viele mehr immer wieder hier dort dir mir soll sollte sollten würde würden könnte konnte lassen ob a ab an""",
    "fr": """le la les un une des du de et est était sont étaient être a ont avait pas ne que qui quoi dans pour par
        sur avec sans sous ce cet cette ces il elle ils elles nous vous je tu mon ton son ma ta sa mes tes ses
        notre votre leur leurs au aux en se plus très où quand comment pourquoi mais ou si comme tout tous toute
        bien peut doit c'est d'un d'une l'on qu'il qu'elle n'est j'ai on y n'a n'y jamais toujours encore aussi
        alors donc car depuis pendant avant après entre chaque autre autres même mêmes moins peu faire fait sont-
        ils lui s'il c'était j'étais puis ici là moi toi soi""",
    "es": """el la los las un una unos unas de del y es era son eran ser ha han había no que quien en para por con sin
        sobre este esta estos estas él ella ellos nosotros usted yo tú mi tu su sus al se más muy donde cuando cómo
        pero o si como todo todos está están lo le les""",
    "it": """il lo la i gli le un uno una di del della dei delle e è era sono erano essere ha hanno aveva non che chi in
        per con su questo questa questi queste lui lei loro noi voi io tu mio tuo suo al alla si più molto dove
        quando come ma o se tutto tutti anche nel nella""",
    "pt": """o a os as um uma uns umas de do da dos das e é era são eram ser tem têm não que quem em no na nos nas para
        por com sem este esta isso ele ela eles nós você eu meu seu sua ao se mais muito onde quando como mas ou
        tudo todos está""",
    "nl": """de het een en is was zijn waren wordt worden heeft hebben had niet met van voor op uit bij naar te als ook
        zich hij zij wij jij ik mijn jouw zijn haar ons geen dat die dit deze wie wat waar wanneer maar of nog al
        zeer over door kan moet er""",
}
_ALL = frozenset(word for words in _TABLE.values() for word in words.split())
_WORDS = {code: frozenset(words.split()) for code, words in _TABLE.items()}


def function_words(words: Iterable[str], language: Language | None) -> int:
    """How many of some words, in lower case, are small words of a language; 0 for one that we have no list of."""
    known = _WORDS.get(language.code if language else "", frozenset())
    return sum(word in known for word in words)


def own_function_words(words: Iterable[str], language: Language | None, other: Language) -> int:
    """How many of some words are small words of a language and not of another."""
    known = _difference(language.code if language else "", other.code)
    return sum(word in known for word in words)


@functools.cache
def _difference(code: str, other: str) -> frozenset[str]:
    return _WORDS.get(code, frozenset()) - _WORDS.get(other, frozenset())


def is_small(word: str) -> bool:
    """Whether a word in lower case is a small word of any language."""
    return word in _ALL


def has_list(language: Language | None) -> bool:
    """Whether we know the small words of a language."""
    return language is not None and language.code in _WORDS
