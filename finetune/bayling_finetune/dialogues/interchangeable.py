"""Words that take each other's place in a sentence without a change of anything else: a user's likely second thoughts.

Each line is a set: words of one meaning (``maybe perhaps``), or, after ``~``, of one kind (``Monday Tuesday``); always
of one grammar, in German and French nouns of one gender. Left out are words that fit in some sentences only: ``speak``
and ``talk`` are not each other's equals in "speak English". An underscore is a space. After a colon come endings that
each word takes in turn: ``klein winzig: e en`` is ``kleine winzige`` and ``kleinen winzigen``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_ENGLISH = """
~Monday Tuesday Wednesday Thursday Friday Saturday Sunday
~January February March June July September October November December
~Australia Italy
~France Germany Japan China Canada Spain Mexico
~French German Japanese Chinese Spanish
~red blue green black white yellow brown
~mother father brother sister cousin
~doctor teacher lawyer nurse dentist
~cat dog horse bird rabbit
~tea coffee milk water beer wine
~bread rice cheese soup
~car bus train taxi
~book letter newspaper magazine
~house hotel hospital school restaurant library
~morning afternoon
~breakfast lunch dinner
~chair table desk sofa
~boy girl
~son daughter
~summer winter spring
maybe perhaps
almost nearly
big large huge
small tiny
quick fast
quickly rapidly
begin start
begins starts
began started
buy purchase
bought purchased
shop store
film movie
sofa couch
clever smart
glad happy
sad unhappy
rich wealthy
ill sick
wrong incorrect
often frequently
beautiful lovely
strange odd
error mistake
child kid
children kids
stay remain
stayed remained
angry furious
scared frightened
terrible awful
wonderful marvelous
enormous immense
important essential
sure certain
immediately instantly
probably presumably
rarely seldom
everybody everyone
nobody no_one
somebody someone
anybody anyone
a_lot_of lots_of
street road
stone rock
trip journey
forest wood
hot warm
dirty filthy
delicious tasty
funny amusing
boring dull
quiet silent
"""
_GERMAN = """
~Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag
~Januar Februar März April Mai Juni Juli August September Oktober November Dezember
Samstag Sonnabend
~Australien Italien Frankreich Deutschland Japan China Kanada Spanien
~Französisch Deutsch Englisch Japanisch Chinesisch Spanisch
~Hund Vogel Fisch
~Vater Bruder Onkel Lehrer Arzt Freund Sohn
~Mutter Schwester Tante Freundin Tochter Lehrerin Ärztin
~Buch Bild Heft
~Haus Hotel Restaurant Museum
~Schule Bibliothek Kirche
~Tee Kaffee Wein Saft
~Wasser Bier
~Zug Bus
~Tisch Stuhl
~Nachmittag Abend
~Sommer Winter Herbst Frühling
~Mittagessen Abendessen Frühstück
~rot blau grün schwarz weiß gelb
vielleicht womöglich
fast beinahe
oft häufig
wahrscheinlich vermutlich
natürlich selbstverständlich
manchmal gelegentlich
plötzlich unvermittelt
niemals nie
anfangen beginnen
angefangen begonnen
bekommen erhalten
kaufen erwerben
benutzen verwenden
benutzt verwendet
antworten erwidern
Fehler Irrtum
Geschenk Präsent
Reise Fahrt
Krankenhaus Spital
~Auto Fahrrad
Junge Knabe
schnell rasch
müde erschöpft
traurig betrübt
klug schlau gescheit
glücklich froh
böse wütend
reich wohlhabend
schön hübsch: e en em er es
groß riesig: e en em es
klein winzig: e en em es
wichtig bedeutend: e en em er es
schwierig kompliziert: e en em er es
~rot blau grün schwarz weiß gelb: e en em er es
"""
_FRENCH = """
~lundi mardi mercredi jeudi vendredi samedi dimanche
~janvier février mars juin juillet septembre novembre décembre
~français chinois japonais
~père frère cousin
~mère sœur tante cousine
~chat chien cheval
~thé café lait vin
~livre journal magazine
~bus taxi
~voiture moto
~maison chambre voiture
~médecin professeur
~garçon voisin
~fille voisine
~rouge jaune
~noir blanc vert bleu
~noire blanche verte bleue
~matin soir
~déjeuner dîner
souvent fréquemment
presque quasiment
vraiment réellement
rapidement vite
immédiatement aussitôt
probablement sûrement
finir terminer
fini terminé
bavarder discuter
content heureux
contente heureuse
facile simple
fatigué épuisé
fatiguée épuisée
grand gros
énorme immense
faute bourde
rue route
voyage périple
boulot travail
problème souci
~film documentaire
bateau navire
photo image
regarder observer
utiliser employer
utilisé employé
choisir sélectionner
choisi sélectionné
réparer arranger
"""
_CHINESE = """
~星期一 星期二 星期三 星期四 星期五 星期六
~一月 二月 三月 四月 五月 六月 七月 八月 九月
~法语 德语 日语 汉语 西班牙语
~法国 德国 日本 加拿大 澳大利亚
~红色 蓝色 绿色 黑色 白色 黄色
~爸爸 妈妈 哥哥 姐姐 弟弟 妹妹
父亲 爸爸
母亲 妈妈
丈夫 老公
妻子 老婆
孩子 小孩
~朋友 同学 同事 邻居
~医生 老师 律师 护士
~咖啡 牛奶 啤酒 果汁
~早上 下午 晚上
~早饭 午饭 晚饭
~夏天 冬天 春天 秋天
~椅子 桌子 沙发
~电影 电视剧
也许 或许 大概
立刻 马上 立即
常常 经常 时常
非常 十分
高兴 开心 快乐
难过 伤心
美丽 漂亮 好看
聪明 机灵
错误 失误
自行车 单车 脚踏车
出租车 计程车 的士
突然 忽然
总是 老是
必须 一定要
应该 应当
结束 完结
喜欢 喜爱
讨厌 厌恶
知道 晓得
告诉 告知
认为 觉得
希望 盼望
购买 采购
房子 屋子
商店 店铺
礼物 礼品
旅行 旅游
重要 要紧
奇怪 古怪
生气 恼火
疲倦 疲惫
~图书馆 博物馆 电影院
"""


def _sets(lines: str) -> Iterator[tuple[bool, list[str]]]:
    for line in lines.strip().split("\n"):
        words, _, endings = line.removeprefix("~").partition(":")
        for ending in endings.split() or [""]:
            yield line[0] == "~", [word.replace("_", " ") + ending for word in words.split()]


def _others(lines: str, *, kinds: bool) -> dict[str, tuple[str, ...]]:
    """Each word with the others of its sets."""
    found: dict[str, list[str]] = {}
    for is_kind, words in _sets(lines):
        for word in words if is_kind == kinds else ():
            found.setdefault(word, []).extend(other for other in words if other != word)
    return {word: tuple(dict.fromkeys(others)) for word, others in found.items()}


_LINES = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "zh": _CHINESE}
SYNONYMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    code: _others(lines, kinds=False) for code, lines in _LINES.items()
}
"""By the code of a language and a word: the words of the same meaning that can take its place."""
OF_THE_SAME_KIND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    code: _others(lines, kinds=True) for code, lines in _LINES.items()
}
"""By the code of a language and a word: words for other things of its kind that can take its place."""
