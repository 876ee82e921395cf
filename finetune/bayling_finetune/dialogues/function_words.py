"""Short lists of function words, by language code: what nobody would ask a translation to contain.

Articles, pronouns, prepositions, conjunctions, auxiliaries, particles, and the vaguest adverbs; in the form that
:func:`bayling_finetune.dialogues.words.form` gives.
"""

from __future__ import annotations

_ENGLISH = """
a an the this that these those some any no each every either neither all both such same other another
i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours
ourselves they them their theirs themselves one ones who whom whose which what something anything nothing
of in on at by for with from to into onto upon about above below over under between among through during before after
against within without out up down off as than like via per toward towards around across along
and or but nor so yet if then else because since although though while when where whether unless until how why
be am is are was were been being do does did done doing have has had having will would shall should can could may
might must ought get gets got let lets 'll
not n't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't can't cannot couldn't shouldn't haven't hasn't
hadn't i'm i've i'll i'd you're you've you'll you'd he'd he'll she'd she'll it'll we're we've we'll we'd they're
they've they'll they'd let
there here now just only also too very more most much many few less least even still already again ever never
rather quite almost else yes e.g i.e etc
"""

_CHINESE = """
的 地 得 了 着 过 之 所 者 们 等 等等 吗 呢 吧 啊 呀 嘛 啦 哦 嗯 哪 么 而 而且 并 并且 并不
和 与 及 以及 或 或者 还是 但 但是 不过 然而 却 因为 因此 所以 于是 由于 如果 若 假如 要是 那么 则
虽然 尽管 即使 只要 只有 除非 无论 不管 既 又 且 也 还 都 就 才 只 仅 再 更 最 很 太 非常 十分
已 已经 曾 曾经 正 正在 将 将要 会 能 能够 可 可以 可能 应 应该 应当 须 必须 要 需 想 得以 是
就是 不是 在 有 没 没有 不 非 无 未 勿 别 不会 不能 不要 不可 被 把 让 使 令 给 对 对于 关于
至于 从 自 由 向 往 朝 到 至 于 以 用 按 按照 根据 依 依照 通过 经 经过 为 为了 作为 当 当时 时
时候 之前 之后 以前 以后 前 后 中 里 内 外 上 下 间 之间 其中 之中 我 你 您 他 她 它 我们 你们
您们 他们 她们 它们 咱们 自己 自身 本身 其 此 该 这 那 这个 那个 这些 那些 这里 那里 这儿 那儿 这样
那样 这种 那种 某 某个 某些 各 各个 每 每个 任何 所有 一切 什么 谁 哪里 哪儿 哪个 哪些 怎么 怎样
如何 为什么 何 几 多 多少 个 位 条 件 种 些 一些 一个 一 一种 次 本 张 点 一点 有些 有点 同 跟
像 如 如同 例如 比如 比 即 便 来 去 起来 出来 下来 下去 上来 上去 进行 另 另外 其他 其它 其余 此外
同时 然后 接着 首先 吾 汝 尔 乃 矣 焉 哉 乎 也是 都是 还有 只是 只能 还要 是否 是不是 有没有 不同
一样
"""

_GERMAN = """
der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner keines dieser diese dieses
diesen diesem jener jene jenes jenen jenem jeder jede jedes jeden jedem alle allen aller alles beide beiden einige
manche solche solcher solches welche welcher welches welchen welchem
ich mich mir mein meine meinen meinem meiner meines du dich dir dein deine deinen deinem deiner deines er ihn ihm sein
seine seinen seinem seiner seines sie ihr ihre ihren ihrem ihrer ihres es wir uns unser unsere unseren unserem unserer
euch euer eure euren eurem eurer ihnen man sich selbst wer wen wem wessen was etwas nichts jemand niemand
in im ins an am ans auf aufs aus bei beim bis durch für gegen mit nach ohne seit um unter unters über von vom vor zu zum
zur zwischen während wegen trotz statt hinter neben innerhalb außerhalb gegenüber per pro als wie
und oder aber denn sondern doch wenn ob dass daß weil da damit obwohl indem bevor nachdem sobald solange falls sowie
sowohl weder noch entweder je desto
bin bist ist sind seid war warst waren wart gewesen sei wäre wären habe hast hat haben habt hatte hattest hatten hattet
gehabt hätte hätten werde wirst wird werden werdet wurde wurden worden geworden würde würden kann kannst können könnt
konnte konnten könnte könnten muss musst müssen müsst musste mussten müsste müssten soll sollst sollen sollt sollte
sollten will willst wollen wollt wollte wollten darf darfst dürfen dürft durfte durften dürfte mag magst mögen mögt
mochte möchte möchten lassen lässt
nicht nie ja nein auch nur schon noch sehr so dann hier dort wo woher wohin wann warum wieso weshalb mehr viel viele
vielen wenig weniger meist immer wieder mal eben etwa ganz gar sogar zwar also daher deshalb darum dabei dafür dagegen
daran darauf daraus darin darüber davon dazu hin her ab z.b
"""

_FRENCH = """
le la les l' un une des du de d' au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs
quel quelle quels quelles tout toute tous toutes chaque plusieurs aucun aucune certain certaine certains certaines
quelque quelques tel telle tels telles même mêmes autre autres
je j' me m' moi tu te t' toi il elle on se s' soi lui nous vous ils elles eux y en ça cela ceci c' celui celle ceux
celles celui-ci celle-ci qui que qu' quoi dont où lequel laquelle lesquels lesquelles rien quelqu' personne
à dans par pour sur sous avec sans vers chez entre parmi pendant depuis avant après contre selon malgré hors jusqu'
jusque dès outre via comme
et ou mais donc or ni car si lorsque lorsqu' quand puisque puisqu' parce quoique quoiqu' afin tandis
suis es est sommes êtes sont étais était étions étiez étaient été être étant sera serai seras serez serons seront serait
seraient soit soient fut furent ai as a avons avez ont avais avait avions aviez avaient eu avoir ayant aura aurai auras
aurez aurons auront aurait auraient ait aient peux peut pouvez pouvons peuvent pouvait pouvoir pourrait pourra dois doit
devez devons doivent devait devoir devrait faut fallait veux veut voulez voulons veulent vais vas va allons allez vont
n' ne pas plus point non jamais très trop aussi encore déjà ici là bien peu beaucoup moins alors ainsi puis ensuite
comment pourquoi combien oui seulement toujours p.ex
"""

FUNCTION_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(_ENGLISH.split()),
    "zh": frozenset(_CHINESE.split()),
    "de": frozenset(word.replace("ß", "ss") for word in _GERMAN.split()),
    "fr": frozenset(_FRENCH.split()),
}

_NEGATIONS = {
    "en": """
no not never none nothing nobody neither nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't
wouldn't couldn't shouldn't haven't hasn't hadn't
""",
    "zh": "不 没 没有 非 无 未 勿 别 不会 不能 不要 不可 不是 并不",
    "de": "nicht nichts nie kein keine keinen keinem keiner keines niemand ohne weder",
    "fr": "n' ne pas non jamais rien aucun aucune personne sans ni",
}
NEGATIONS: dict[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _NEGATIONS.items()}
"""Function words that turn a meaning round."""
