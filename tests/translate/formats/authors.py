"""Who writes the sample documents: sentences with everything in them that is easily broken."""

from __future__ import annotations

import html
import random

SENTENCES = (
    "The house at the end of the street is old.",
    "Please call Dr. Miller before 10 a.m. tomorrow!",
    "Was it really 1,234.50 dollars?",
    "Visit https://example.org/path?a=1&b=2 for more.",
    "“Good morning,” she said.",
    "Prices rose by 3.5 % (see table 2); nobody minded.",
    "Der Zug fährt um 8 Uhr ab – pünktlich.",
    "L’été dernier, nous étions à la mer : quel bonheur !",
    "今天天气很好。我们去公园吧！",
    "Les naïfs œufs brûlés coûtent 5 €.",
    "A < B & C > D, isn't it?",
    "Emoji 👩‍👧 and accents: e\u0301, ñ, ß.",
    "Write to anna@example.com, or to nobody",
    "OK",
)


class Author:
    """Writes sentences and paragraphs, always the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def sentence(self) -> str:
        return self.random.choice(SENTENCES)

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _ in range(self.random.randint(1, 4)))

    def word(self) -> str:
        return self.random.choice(["Introduction", "Results", "Zusammenfassung", "附录", "Annexe", "To do"])

    def paragraphs(self) -> list[str]:
        return [self.paragraph() for _ in range(self.random.randint(1, 5))]


def page(author: Author, *, xhtml: bool = False) -> str:
    def inline(text: str) -> str:
        first, _, rest = html.escape(text, quote=False).partition(" ")
        shape = author.random.choice(
            [
                '<a href="?a=1&amp;b=2">{}</a>',
                "<b><i>{}</i></b>",
                "<code>{}</code>",
                "{}<br/>",
                "<span class='x'>{}</span>",
            ]
        )
        return f"{shape.format(first)} {rest}"

    blocks = [f"<p>{inline(text)}</p>" for text in author.paragraphs()]
    blocks += [
        f"<h2 id='a'>{author.word()}</h2>",
        "<ul>\n<li>One<li>Two\n</ul>" if not xhtml else "<ul><li>One</li></ul>",
    ]
    blocks += [
        f'<p>\n  {author.word()}\n  wrapped <img src="a.png" alt="{author.word()}"/>.\n</p>',
        "<pre>  code </pre>",
    ]
    blocks += ["<table><tr><th>A</th><td>1</td></tr></table>", "<!-- a comment -->", "<script>var a = '<b>';</script>"]
    blocks += [f'<div translate="no">{author.word()}</div>', "<p>a &#233; &nbsp; &lt;b&gt;</p>"]
    author.random.shuffle(blocks)
    return "\n".join(blocks)
