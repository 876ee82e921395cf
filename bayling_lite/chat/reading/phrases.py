"""The words and phrases by which feedback is known: styles, requests, what they call the draft."""

from __future__ import annotations

import re

from bayling_lite.chat.reading.instructions import word_set

# Comparatives ask by themselves; the plain adjectives need "more", "less" or "too", or a line of style words only.
COMPARATIVES = word_set("""
    shorter longer simpler politer clearer friendlier warmer softer looser briefer smoother plainer tighter crisper
    snappier livelier
    formeller förmlicher höflicher kürzer länger einfacher natürlicher freundlicher informeller lockerer wörtlicher
    knapper klarer genauer flüssiger kürzere einfachere höflichere formellere natürlichere klarere sachlicher
    verständlicher freier
""")
ADJECTIVES = word_set("""
    formal informal casual polite friendly natural literal simple clear concise brief colloquial fluent idiomatic
    short long wordy stiff precise unnatural awkward clumsy robotic stilted verbose informally formally politely
    naturally freely literally conversational professional neutral
    formell förmlich höflich kurz lang einfach natürlich freundlich informell locker wörtlich knapp klar genau flüssig
    steif holprig unnatürlich umständlich umgangssprachlich sachlich frei siezen duzen
    formel formelle soutenu soutenue familier familière poli polie court courte long longue simple naturel naturelle
    littéral littérale clair claire concis concise bref brève précis précise lourd lourde maladroit maladroite fluide
    vouvoyer vouvoie vouvoyez tutoyer tutoie tutoyez
""")
SHORTER = word_set("shorter briefer tighter concise brief shorten kürzer knapper kürze court courte concis raccourcis")
LONGER = word_set("longer lengthen länger ausführlicher long longue rallonge")
DEGREES = word_set("more less too zu plus moins trop weniger mehr")
FILLERS = DEGREES | word_set("""
    much very a bit little so as not it this be make please can could you and but or sound sounds reads feels keep
    slightly even still far rather quite somewhat again in tone style way try the text translation sentence draft use
    language words wording sentences
    bitte mach mache machen sie es das ein etwas bisschen viel noch nicht so und aber den die der satz klingen klingt
    übersetzung verwende benutze sprache worte wörter sätze
    un peu très rends rendez le la les fais faites s'il te vous plaît svp et mais pas texte phrase traduction encore
    utilise utilisez mots phrases langage langue
""")
ZH_STYLE = re.compile(
    r"(?:请|麻烦)?[你您]?(?:把它|让它|将其|语气|译文|翻译|句子|这句话?|听起来|读起来)?"
    r"(?:再|更|太|要|有点|稍微|稍|尽量|不要太|别太|不够|不太|改得|写得|说得|译得|翻得|翻译得|变得|改|使用|用)*"
    r"(?:正式|口语|礼貌|客气|简短|简洁|简单|短|长|自然|通俗|书面|随意|准确|地道|流畅|直白|委婉|友好|生硬|拗口|啰嗦|通顺|亲切)"
    r"(?:化|的)?(?:一点儿?|一些|点儿?|些|语气|说法|表达)?[了吧]?[。！.!]?"
)

# Nothing but another version.
ANOTHER = re.compile(
    r"""(?:(?:please|no|hm+)[,\s]+)*(?:
    (?:(?:rephrase|reword|paraphrase|retranslate|rewrite) (?:\s+(?:it|this|that|the\s+(?:translation|draft|sentence)))?
        (?:\s+differently)?
    |(?:(?:give\s+me|show\s+me|try)\s+)? (?:another|a\s+different|one\s+more) \s+ (?:version|translation|wording|draft)
    |(?:say|put|phrase|word|translate) \s+ (?:it|this|that) \s+ (?:differently|another\s+way|in\s+another\s+way))
    (?:,?\s+please)?
    |(?:bitte\s+)? (?:(?:formulier|formuliere|formulieren\s+Sie) \s+ (?:es|das|den\s+Satz) \s+
            (?:bitte\s+)? (?:um|anders|neu)
        |(?:anders|neu) \s+ (?:formulieren|übersetzen) |umformulieren
        |(?:noch\s+)? (?:eine\s+)? andere \s+ (?:version|übersetzung|formulierung))
    |(?:reformule|reformulez) (?:-la|-le|\s+la\s+phrase|\s+ça|\s+cela)? |(?:donne-moi\s+)? une \s+ autre \s+
        (?:version|traduction|formulation)
    |(?:请|麻烦)? (?:再)? (?:换个|换一个|换一种|换种) (?:说法|译法|表达|方式|版本)(?:吧)?
    |(?:请|麻烦)? (?:重新?|再) (?:翻译|译|翻|写) (?:一下|一遍|一次)? (?:吧)?
    )[.!。！]?""",
    re.IGNORECASE | re.VERBOSE,
)

# Nothing but what is wrong.
FAULT = re.compile(
    r"""(?:that's\s+|it's\s+)?(?:the\s+)?wrong\s+(?:article|tense|gender|case|word(?:\s+order)?|preposition|pronoun|ending|form)
    |falsche[rs]?\s+(?:artikel|zeit(?:form)?|geschlecht|fall|wort(?:stellung)?|präposition|pronomen|endung|form)
    |mauvaise?\s+(?:article|genre|mot|ordre|préposition|pronom|terminaison|forme)
    |(?:时态|语气|语序|译文|翻译|措辞|标点|用词|这个词)[^。，,]{0,6}?(?:不对|错了|有误|不准确?|不好|不自然)(?:[，,].{0,20})?""",
    re.IGNORECASE | re.VERBOSE,
)

# What a request begins with, and a complaint.
OPENING = re.compile(
    r"""(?:(?:please|can\ you|could\ you|would\ you|now|but|no,?|and|also)\s+)*
    (?:use|make|fix|change|replace|rewrite|rephrase|reword|shorten|lengthen|simplify|translate|correct|keep|leave|avoid|
       remove|drop|delete|add|say|write|put|try|please|can\ you|could\ you|would\ you|do\ not|don't|instead\ of|more|
       less|omit|skip|insert|swap|capitali[sz]e|merge|split|spell|turn|
       you\ (?:forgot|missed|left\ out|dropped|skipped|mistranslated|added|changed))\b
    |(?:bitte\s+|kannst\ du\s+|könnten\ sie\s+|und\s+|aber\s+|nein,?\s+)*
     (?:bitte|kannst\ du|könnten\ sie|verwende|benutze|nutze|nimm|mach|ändere|ersetze|korrigiere|kürze|schreib|
        formulier|übersetz|lass|behalte|vermeide|streiche|entferne|füge|statt|mehr|weniger|vereinfach|verkürz|tausch|
        du\ hast|es\ fehlt|hier\ fehlt)\w*\b
    |(?:s'il\ (?:te|vous)\ plaît,?\s+|peux-tu\s+|pouvez-vous\s+|et\s+|mais\s+|non,?\s+)*
     (?:peux-tu|pouvez-vous|utilis|emplo[iy]|rend|fai[st]|chang|remplac|corrig|raccourci|tradui|reformul|gard|évit|supprim|
        ajout|met|n'utilis|au\ lieu|plus|moins|simplifi|enlèv|enlev|tu\ as\ oublié|vous\ avez\ oublié|il\ manque)\w*\b
    |(?:请|麻烦|能不能|可以|帮我)?(?:你|您)?(?:请|用|使用|改|把|将|换|不要|别|保留|删|去掉|去除|加|重写|重新|翻译(?!是|家)|译|缩短|精简|简化|更|
        漏|少译|多译|错译|误译)""",
    re.IGNORECASE | re.VERBOSE,
)
REMOVAL = re.compile(
    r"""(?:please\s+|no,?\s+|bitte\s+)? (?:remove|drop|delete|omit|avoid|skip|leave\s+out|keep|not|without
        |(?:don't|do\s+not)\s+(?:use|say|write)|streiche?n?|entfernen?|lass(?:en)?
        |enlève|enlevez|enlever|supprimer?|supprimez)
        \s+ (?:(?:the|a|an|das|den|die|der|le|la|les)\s+)? (?P<what>.+?) (?:\s+weg)? (?:,?\s+please)? [.!]?""",
    re.IGNORECASE | re.VERBOSE,
)
# What a draft lacks, said without a full stop: with one it may be the next sentence of the text.
COMPLAINT = re.compile(
    r"""you\ (?:forgot|missed|left\ out|dropped|skipped|omitted) \s+ (?:to\ translate\ )? (?:(?:the|a|an)\ )? (?P<en>.+)
    |du\ hast \s+ (?:(?:das|den|die|der|ein|eine|einen)\ )? (?P<de>.+?) \s+ (?:vergessen|ausgelassen|weggelassen)
    |(?:es|hier)\ fehlt \s+ (?:(?:das|der|die|ein|eine)\ )? (?P<lacking>.+)
    |(?:tu\ as|vous\ avez)\ oublié \s+ (?:de\ traduire\ )? (?:(?:le|la|les|un|une)\ )? (?P<fr>.+)
    |(?:你|您)? (?:漏译|漏掉|漏|少译|忘) 了? \s* (?P<zh>.+)""",
    re.IGNORECASE | re.VERBOSE,
)

# What a request calls the draft, its parts and its grammar.
DRAFT_NAMED = re.compile(
    r"""\b(?:the|this|that|your|last|first|second)\s+(?:whole\s+|last\s+|first\s+|second\s+)?
        (?:translation|draft|sentence|wording|phrasing|words?|tone|style|expression|verb|noun|comma|punctuation|term|version|
           phrase|paragraph|tense|pronoun|adjective|article|clause)\b
    |\b(?:(?:past|present|future|perfect)\s+tense|passive\s+voice|active\s+voice|(?:the\s+|in\s+)(?:plural|singular)
        |(?:make\s+it\s+)(?:plural|singular|passive)|subjunctive|imperative|contractions?
        |(?:polite|formal|informal|gender-neutral|inclusive|plain|everyday)\s+(?:forms?|address|pronouns?|language)
        |(?:du|sie|ihr|tu|vous)[\s-]form
        |(?:british|american)\s+(?:english|spelling)|quotation\s+marks|word\s+order)\b
    |\b(?:übersetzung|satz|sätze|wort|wörter|wortwahl|(?:der|den|dem|im)\s+ton|tonfall|stil|ausdruck|begriff|formulierung|entwurf|anrede|höflichkeitsform
        |plural|singular|vergangenheit|präteritum|perfekt|präsens|zeitform|passiv|imperativ|konjunktiv|wortstellung|zeichensetzung|anführungszeichen)\b
    |\b(?:traduction|phrase|mot|mots|(?:le|du|au)\s+ton|style|expression|terme|formulation|tournure|vouvoiement|tutoiement
        |pluriel|singulier|imparfait|passé\s+composé|passé\s+simple|temps\s+du\s+verbe|guillemets)\b
    |译文|翻译|语气|这句|那句|这个词|那个词|措辞|说法|原文|句子|标点|时态|过去时|将来时|复数|单数|被动|语序|漏译|错译|误译|少译|多译""",
    re.IGNORECASE | re.VERBOSE,
)
