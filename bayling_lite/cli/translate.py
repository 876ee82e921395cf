"""``bayling translate``: documents, folders or standard input, into another language.

What is typed is checked in translate_options.py, inputs and outputs are found in translate_plan.py, and the work is
done in translate_run.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bayling_lite.cli.options import EngineFlags, engine_options, output_options
from bayling_lite.cli.sectioned import SectionedCommand
from bayling_lite.cli.steering import manner_options, term_options
from bayling_lite.engine.base import MAX_BEAM_SIZE

_SECTIONS = {
    "Languages": ("target", "source", "show_detected_source"),
    "Inputs": ("format_name", "encoding", "keys", "columns"),
    "Outputs": ("output", "force", "bilingual", "alternatives", "as_json", "report"),
    "Terms and style": ("terms", "glossaries", "memories", "formality", "style", "instruction", "context"),
    "Work": ("dry_run", "resume", "retranslate", "beam_size", "progress", "quiet", "verbose"),
    "Model and machine": (
        *("model", "template", "threads", "n_ctx", "parallel"),
        *("gpu_layers", "kv_type", "mlock", "mmap"),
    ),
}


@click.command(
    "translate",
    cls=SectionedCommand,
    sections=_SECTIONS,
    short_help="Translate documents, folders, or standard input.",
)
@click.argument("files", nargs=-1, metavar="[FILES]...")
@click.option("--to", "--target-lang", "target", required=True, metavar="LANG", help="Into this language: zh, de, ...")
@click.option(
    "--from", "--source-lang", "source", default="auto", metavar="LANG", help="From this one.  [default: auto]"
)
@click.option("--show-detected-source", is_flag=True, help="Say on stderr which language was detected.")
@click.option(
    "--format",
    "format_name",
    metavar="NAME",
    help="What the inputs are: txt, md, docx, ...  [default: told by their names, or by how they begin]",
)
@click.option("--encoding", metavar="NAME", help="Of texts and their outputs.  [default: found out]")
@click.option(
    "--keys", multiple=True, metavar="PATH", help="Which values of JSON: title, items[*].text, **.label. Repeatable."
)
@click.option("--columns", multiple=True, metavar="LIST", help="Which columns of tables: names, or numbers from 1.")
@click.option("-o", "--output", metavar="FILE|DIR/", help="Write the translation there; - is standard output.")
@click.option("--force", is_flag=True, help="Overwrite existing outputs.")
@click.option("--bilingual", is_flag=True, help="Keep the source, each piece with its translation.")
@click.option(
    "--alternatives",
    type=click.IntRange(0, MAX_BEAM_SIZE - 1),
    metavar="N",
    default=0,
    help="Show N further translations of each segment, of text on standard output or with --json.",
)
@click.option("--json", "as_json", is_flag=True, help="Write a line of JSON per segment to standard output.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Write what became of everything, as JSON."
)
@term_options
@click.option(
    "--tm",
    "memories",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.tmx",
    help="Take what is in this translation memory as it is, and what is like it as an example. Repeatable.",
)
@manner_options
@click.option("--instruction", default="", metavar="TEXT", help="What else the model is to be told.")
@click.option(
    "--dry-run", is_flag=True, help="Say what there is to do and how long it will take; write no translation."
)
@click.option("--no-resume", "resume", is_flag=True, flag_value=False, default=True, help="Leave the store alone.")
@click.option("--retranslate", is_flag=True, help="Ask again for what is in the store, and replace it there.")
@click.option(
    "--beam",
    "beam_size",
    type=click.IntRange(1, MAX_BEAM_SIZE),
    metavar="N",
    default=1,
    help="Search with N hypotheses: slower, often better.  [default: 1, no search]",
)
@click.option("--no-progress", "progress", is_flag=True, flag_value=False, default=True, help="Show no progress.")
@engine_options
@output_options
def translate(engine: EngineFlags, **given: Any) -> int:
    """Translate documents: FILES, all that are in a folder, or standard input. What is not text stays as it is.

    Formats: plain text, Markdown, HTML, EPUB, Word, PowerPoint, Excel, OpenDocument text, SRT, WebVTT, ASS, gettext PO,
    XLIFF, JSON, CSV, TSV, LaTeX, and PDF to text.

    The translation of one input goes to standard output, unless -o names a file or a folder. Several inputs are
    written to -o DIR/, else beside each input: letter.txt and letter.en.txt become letter.zh.txt. A folder is copied
    to -o DIR/, else to FOLDER.zh/. Existing files are not overwritten without --force, and files appear whole or not
    at all. With --json, files are written only where -o says so.

    Every finished segment is kept in a store: what was interrupted goes on when the same is called again, and only
    what a change of text, terms, model or options touches is translated anew.

    \b
    Examples:
      bayling translate letter.txt --to zh
      bayling translate report.docx --to de -o bericht.docx --glossary terms.tsv
      bayling translate film.srt slides.pptx --to fr -o translated/
      bayling translate website/ --to zh --formality formal
      bayling translate strings.json --to de --keys '**.label' -o strings.de.json
      bayling translate book.epub --to zh --bilingual -o book.en-zh.epub
      bayling translate manual.md --to zh --dry-run
      echo "Good morning." | bayling translate --to fr --alternatives 2
      bayling translate notes.txt --to zh --term token=词元 --beam 5

    \b
    Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but some segments
    were left untranslated, 4 model not available, 130 interrupted.
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.translate_options import checked
    from bayling_lite.cli.translate_plan import plan
    from bayling_lite.cli.translate_run import carry_out

    options = checked(given)
    return carry_out(plan(options), options, engine)
