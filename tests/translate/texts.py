"""Texts with every kind of layout."""

from __future__ import annotations

import random
import re

LAYOUTS = {
    "empty": "",
    "newline": "\n",
    "blank lines": "a\n\n\n\nb\n",
    "windows": "One. Two.\r\n\r\nThree.\r\n",
    "old mac": "One.\rTwo.\r",
    "mixed newlines": "a\r\n\r\n\nb\rc\u2028d\x85e\x0cf",
    "indentation": "    four\n\ttab\n  \t both  \n",
    "bullets": "- one\n* two\n1. three\n2) four\n• five\n  - nested\n[x] done\n- [ ] to do",
    "chinese bullets": "一、早上好。\n（二）你好。\n1.再见。\n①好",
    "byte order mark": "\ufeffHello.",
    "ideographic space": "\u3000\u3000早上好。你好。\n",
    "table": "Name\tAge\nAnna\t12\nBob    Paris    3",
    "only punctuation": "***\n---\n...\n",
    "separators": "a\x1cb\x1dc\x1e\x0b\x0c",
    "wrapped": "This is a paragraph whose lines were wrapped at sixty columns, so\n"
    "that a sentence goes on in the line below. And another\none begins.\n",
}

WRAPPED = (
    "My dear friend, I am writing to you because there is something that I\n"
    "would like to tell you. It is not very important, but it might make\n"
    "you laugh when you hear it.\n"
)


def random_text(random_: random.Random) -> str:
    words = re.findall(
        r"\S+", "Hello World. you? yes! e.g. Mr. 3.5 https://a.b/c 早上好。 你好？ “嗯。” … - * 1. > die am 3. Mai"
    )
    lines = [
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "  ",
        "\t",
        "\u3000",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\u0301",
        "\x00",
        "👩\u200d👧",
    ]
    units = [
        *words,
        *lines,
        "a long enough run of words to fill a line,",
        "and some more of them to wrap at the margin",
    ]
    return "".join(random_.choice(units) + random_.choice(["", " ", " "]) for _ in range(random_.randint(0, 40)))
