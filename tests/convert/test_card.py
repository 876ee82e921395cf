"""The model card: what the hub reads of it, what people see of it, and that nobody's words get lost or obeyed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from bayling_convert.model_card.card import CardContents, CardFile, model_card, write_card
from bayling_convert.model_card.licences import hub_licence, terms_of
from bayling_lite.errors import OutputError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import TEMPLATES
from tests.convert.comparisons import made_up

FILE = CardFile("bayling-2-7b.Q4_K_M.gguf", "Q4_K_M", 4_080_000_000, "5e" * 32)
CONTENTS = CardContents(
    name="bayling-2-7b",
    files=(FILE,),
    converter="bayling-lite 1.2.3",
    n_parameters=6_740_000_000,
    context_length=4096,
    languages=("en", "zh"),
    template="bayling",
    stop=("</s>",),
    license="Llama 2 Community License",
    base="Llama-2-7B-Chat",
    repository="ICTNLP/bayling-2-7b",
    revision="0123456789abcdef",
)
HOSTILE = (
    "x\"'\n---\nlicense: mit\n# <script>alert(1)</script> [a](javascript:b) | `c` ![d](//e)\x1b[31m\u202e -->\udcff"
)


def load(folder: Path, text: str) -> tuple[dict[str, Any], str]:
    """The metadata and the rest, as huggingface-hub reads them."""
    path = folder / "card.md"
    path.write_bytes(text.encode())
    card = ModelCard.load(path)
    return {key: value for key, value in vars(card.data).items() if value is not None}, card.text


def rendered(text: str) -> str:
    body = text.split("\n---\n", maxsplit=1)[1]
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(body))


def blocks(text: str) -> list[str]:
    """The fenced code of a card."""
    return re.findall(r"^```\w*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_what_the_hub_reads(tmp_path: Path) -> None:
    data, _ = load(tmp_path, model_card(CONTENTS))
    assert data == {
        "license": "llama2",
        "language": ["en", "zh"],
        "library_name": "gguf",
        "pipeline_tag": "translation",
        "base_model": "ICTNLP/bayling-2-7b",
        "base_model_relation": "quantized",
        "tags": ["gguf", "llama.cpp", "bayling", "interactive-translation"],
    }


def test_a_model_that_says_little(tmp_path: Path) -> None:
    bare = CardContents("mine", (CardFile("mine.gguf", "F16", 12),), "bayling-lite 1.2.3")
    data, text = load(tmp_path, model_card(bare))
    assert data.keys() == {"library_name", "pipeline_tag", "tags"}
    assert "does not say under which licence" in text
    assert "## The prompt" not in text
    assert "What quantizing cost" not in text
    assert "SYSTEM" not in text


def test_an_unknown_licence_keeps_its_name(tmp_path: Path) -> None:
    data, text = load(
        tmp_path, model_card(replace(CONTENTS, license="LLaMA licence (non-commercial)", base="LLaMA-7B"))
    )
    assert data["license"] == "other"
    assert data["license_name"] == "llama-licence-non-commercial"
    assert data["license_link"].startswith("https://")
    assert "not commercial" in text


@pytest.mark.parametrize(
    ("said", "hub"),
    [
        ("CC-BY-SA-4.0", "cc-by-sa-4.0"),
        ("Meta Llama 3 Community License", "llama3"),
        ("Llama 2 Community License", "llama2"),
        ("llama3.1", "llama3.1"),
        ("LLaMA licence (non-commercial)", "other"),
        ("Some Licence 7", "other"),
        (" ", None),
        (None, None),
    ],
)
def test_licences_by_the_hubs_names(said: str | None, hub: str | None) -> None:
    assert hub_licence(said) == hub


@pytest.mark.parametrize(
    ("base", "hub"),
    [
        ("Llama-2-7B-Chat", "llama2"),
        ("Llama-3-8B-Instruct", "llama3"),
        ("meta-llama/Llama-3.2-1B", "llama3.2"),
        ("LLaMA-7B", "other"),
        ("TinyLlama-1.1B", None),
        ("openlm-research/open_llama_7b", None),
    ],
)
def test_a_base_tells_whose_terms_count(base: str, hub: str | None) -> None:
    terms = terms_of("apache-2.0", base)
    assert (terms.hub if terms else None) == hub


def test_what_llama_3_asks_for() -> None:
    three = replace(CONTENTS, name="bayling-2-llama-3-8b", license=None, base="Llama-3-8B-Instruct")
    html = rendered(model_card(three))
    assert "<strong>Built with Meta Llama 3</strong>" in html
    assert "licensed under the Meta Llama 3 Community License, Copyright © Meta Platforms" in html
    hint = 'to begin with "Llama 3"'
    assert hint in html
    assert hint not in rendered(model_card(replace(three, name="Llama 3 BayLing")))
    assert "Built with" not in model_card(CONTENTS)


def test_commands_name_the_file_and_can_be_pasted() -> None:
    odd = replace(FILE, name="my model's.gguf")
    shell, llama, modelfile = blocks(model_card(replace(CONTENTS, files=(odd,), languages=("de", "zh"))))[:3]
    assert "bayling translate --to zh --model 'my model'\"'\"'s.gguf'\n" in shell
    assert "echo 'Guten Morgen.'" in shell
    assert "-m 'my model'\"'\"'s.gguf'" in llama
    assert modelfile.startswith("FROM ./my model's.gguf\n")
    assert 'PARAMETER stop "</s>"\n' in modelfile


@pytest.mark.parametrize("name", TEMPLATES)
def test_ollamas_template_is_the_template(name: str) -> None:
    """Evaluated by hand, it writes what the template writes."""
    modelfile = blocks(model_card(replace(CONTENTS, template=name)))[2]
    system = re.search(r'SYSTEM """(.*?)"""', modelfile, flags=re.DOTALL)
    source = re.search(r'TEMPLATE """(.*?)"""', modelfile, flags=re.DOTALL)
    assert system is not None
    assert source is not None
    head, ask, answer, tail = re.split(
        r'{{ range \.Messages }}{{ if eq \.Role "user" }}|{{ else if eq \.Role "assistant" }}|{{ end }}{{ end }}',
        source[1],
    )
    assert tail == ""
    text = head.replace("{{ .System }}", system[1])
    for turn, said in ((ask, "A"), (answer, "B"), (ask, "C")):
        text += turn.replace("{{ .Content }}", said)
    assert text == TEMPLATES[name].text(Conversation().user("A").assistant("B").user("C"))


def test_the_prompt_is_shown() -> None:
    asked = Conversation().user("First request").assistant("First answer").user("Next request")
    assert TEMPLATES["bayling"].text(asked) in "".join(blocks(model_card(CONTENTS)))
    own = replace(CONTENTS, template=None, chat_template="{{ x }}\n```\n<!-- bayling-lite: end prompt -->\n")
    card = model_card(own)
    assert "````jinja\n{{ x }}\n```\n" in card
    assert card.count("<!-- bayling-lite: end prompt -->") == 1


def test_a_comparison_is_a_table_and_a_picture(tmp_path: Path) -> None:
    comparison = made_up()
    path, picture = write_card(tmp_path, replace(CONTENTS, files=(replace(FILE, comparison=comparison),)))
    text = path.read_text(encoding="utf-8")
    for row in comparison.rows():
        assert f"| {row.label} | {row.value} | {row.explanation} |" in text.replace("\u00a0", " ")
    assert picture.name == "bayling-2-7b.Q4_K_M.svg"
    assert f"](./{picture.name})" in text
    assert picture.read_text(encoding="utf-8").startswith("<svg ")


def test_a_hostile_checkpoint_says_nothing_but_text(tmp_path: Path) -> None:
    contents = CardContents(
        name=HOSTILE,
        files=(
            CardFile(HOSTILE.replace("/", ""), "Q4_K_M", 5, "0" * 64, imatrix=HOSTILE, comparison=made_up(HOSTILE)),
        ),
        converter="bayling-lite 1.2.3",
        languages=(HOSTILE, "en", "zh"),
        chat_template="```\n" + HOSTILE.replace("\udcff", "") + "\n<!-- bayling-lite: end prompt -->",
        stop=(HOSTILE, '"""'),
        license=HOSTILE,
        base=HOSTILE,
        base_url="javascript:alert(1)",
        repository=HOSTILE,
        revision=HOSTILE,
        source_url=HOSTILE,
        description=HOSTILE,
        datasets=(HOSTILE,),
        made=(HOSTILE,),
    )
    text = model_card(contents)
    data, _ = load(tmp_path, text)
    assert data["license"] == "other"
    assert re.fullmatch(r"[a-z0-9.-]+", data["license_name"])
    assert data["language"] == ["en", "zh"]
    assert "base_model" not in data
    html = rendered(text)
    assert "<script" not in html
    assert not re.findall(r'(?:href|src)="(?!https://|\./)', html)
    assert not set(text) & {"\x1b", "\u202e", "\udcff"}
    names = re.findall(r"^<!-- bayling-lite: (begin|end) (\w+) -->$", text, flags=re.MULTILINE)
    assert [name for kind, name in names if kind == "begin"] == [name for kind, name in names if kind == "end"]
    assert html.count("<h1>") == 1


def test_files_of_an_earlier_run_stay(tmp_path: Path) -> None:
    (tmp_path / "a.Q8_0.gguf").write_bytes(bytes(7))
    first = CardFile("a.Q8_0.gguf", "Q8_0", 7, "11" * 32, comparison=made_up())
    second = CardFile("a.Q4_K_M.gguf", "Q4_K_M", 5, "22" * 32)
    (path, _) = write_card(tmp_path, replace(CONTENTS, files=(first,)))
    write_card(tmp_path, replace(CONTENTS, files=(second,)))
    text = path.read_text(encoding="utf-8")
    assert text.index("`a.Q4_K_M.gguf`") < text.index("`a.Q8_0.gguf`")
    assert text.count("## What quantizing cost") == 1
    assert "--model a.Q4_K_M.gguf" in text

    # Unchanged, a file keeps what was measured of it; another one of the same name does not.
    write_card(tmp_path, replace(CONTENTS, files=(replace(first, comparison=None),)))
    assert path.read_text(encoding="utf-8").count("## What quantizing cost") == 1
    write_card(tmp_path, replace(CONTENTS, files=(replace(first, comparison=None, sha256="33" * 32),)))
    assert "## What quantizing cost" not in path.read_text(encoding="utf-8")

    # What is gone from the folder, or is another file by now, goes from the card.
    (tmp_path / "a.Q8_0.gguf").write_bytes(bytes(8))
    write_card(tmp_path, replace(CONTENTS, files=(second,)))
    assert "Q8_0" not in path.read_text(encoding="utf-8")


def test_another_model_has_a_card_of_its_own(tmp_path: Path) -> None:
    """One card has one licence, and names the authors of one model."""
    for name in (FILE.name, "small.gguf", "other.gguf"):
        (tmp_path / name).write_bytes(b"")
    (card,) = write_card(tmp_path, CONTENTS)
    smaller = replace(CONTENTS, files=(CardFile("small.gguf", "Q4_0", 0),))
    assert write_card(tmp_path, smaller) == (card,)
    before = card.read_text()
    other = replace(CONTENTS, name="other", license=None, repository=None, files=(CardFile("other.gguf", "Q4_0", 0),))
    (own,) = write_card(tmp_path, other)
    assert own.name == "other.README.md"
    assert card.read_text() == before
    assert "llama2" not in own.read_text()
    assert write_card(tmp_path, other) == (own,)


def test_a_model_without_a_template_is_run_with_one_named() -> None:
    card = model_card(replace(CONTENTS, template=None, chat_template=None))
    assert "--template bayling --model" in card
    assert "--jinja" not in card
    assert "FROM ./" not in card


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_the_users_words_stay(tmp_path: Path, line_break: str) -> None:
    (path,) = write_card(tmp_path, CONTENTS)
    text = path.read_text(encoding="utf-8")
    text = text.replace("license: llama2", "license: llama2\nthumbnail: me.png").replace("# bayling-2-7b", "# Mine")
    text = re.sub(r"<!-- bayling-lite: begin run -->.*end run -->", "My own words.", text, flags=re.DOTALL)
    text = (text + "\n## Thanks\n\nTo all.\n").replace("\n", line_break)
    path.write_bytes(text.encode())
    write_card(tmp_path, replace(CONTENTS, files=(replace(FILE, sha256="77" * 32),), description="News."))
    after = path.read_bytes().decode()
    for kept in ("thumbnail: me.png", "# Mine", "My own words.", "## Thanks" + line_break, "News.", "77" * 32):
        assert kept in after
    assert "llama-cli" not in after
    assert "5e5e5e" not in after
    assert after.count("\n") == after.count(line_break)
    write_card(tmp_path, replace(CONTENTS, files=(replace(FILE, sha256="77" * 32),), description="News."))
    assert path.read_bytes().decode() == after


def test_another_readme_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"# Of the checkpoint\xff")
    (path,) = write_card(tmp_path, CONTENTS)
    assert path.name == "bayling-2-7b.Q4_K_M.README.md"
    assert write_card(tmp_path, CONTENTS) == (path,)
    path.write_text("Mine.", encoding="utf-8")
    with pytest.raises(OutputError, match="no place"):
        write_card(tmp_path, CONTENTS)
    assert (tmp_path / "README.md").read_bytes() == b"# Of the checkpoint\xff"
    assert path.read_text(encoding="utf-8") == "Mine."


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text(model_card(CONTENTS), encoding="utf-8")
    before = elsewhere.read_bytes()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "README.md").symlink_to(elsewhere)
    (path,) = write_card(folder, replace(CONTENTS, description="News."))
    assert path.name == "bayling-2-7b.Q4_K_M.README.md"
    assert elsewhere.read_bytes() == before


def test_a_picture_of_the_users_is_not_drawn_over(tmp_path: Path) -> None:
    mine = tmp_path / "bayling-2-7b.Q4_K_M.svg"
    mine.write_text("<svg/>", encoding="utf-8")
    written = write_card(tmp_path, replace(CONTENTS, files=(replace(FILE, comparison=made_up()),)))
    assert len(written) == 1
    assert mine.read_text(encoding="utf-8") == "<svg/>"
    assert ".svg" not in written[0].read_text(encoding="utf-8")


def test_a_spoilt_list_of_files_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path.parent / "secret").write_bytes(b"12345")
    (path,) = write_card(tmp_path, CONTENTS)
    text = path.read_text(encoding="utf-8")
    for spoilt in ("[1, null]", '[{"name": "../secret", "file_type": "F16", "n_bytes": 5}]', "[" * 5000 + "]", "[}]"):
        path.write_text(re.sub(r"lite: files \[.*\] -->", f"lite: files {spoilt} -->", text), encoding="utf-8")
        write_card(tmp_path, CONTENTS)
        assert path.read_text(encoding="utf-8") == text


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="could not be written"):
        write_card(tmp_path / "none", CONTENTS)
