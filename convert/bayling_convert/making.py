"""Everything around a conversion that needs the unquantized model as well: importances before, the proof after.

Both run the model in llama.cpp, which needs a file of it: it is written beside the output, unquantized, and removed in
the end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from bayling_convert.importance.calibration import calibration_dialogues, calibration_name, held_out_dialogues
from bayling_convert.importance.collect import measure_dialogues
from bayling_convert.importance.imatrix import Imatrix
from bayling_convert.model_card.contents import CardContents, CardFile
from bayling_convert.output import check_place, remove
from bayling_convert.pipeline import Additions, Converted, Place, convert
from bayling_convert.proof.comparison import Comparison
from bayling_convert.proof.measure import Progress as Steps
from bayling_convert.proof.measure import compare
from bayling_convert.weights.quantize import FileType
from bayling_convert.work import Progress
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.messages import Conversation

_N_HELD_OUT = 60
"""Dialogues to compare on; none of their sentences is in those that importances are measured on."""
_SHARED = (
    *("languages", "placeholders", "license", "base", "base_url", "revision", "description", "demonstrator"),
    *("datasets", "recipe_sha256", "data_sha256"),
)
"""What a card says as the provenance has it."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, what was measured for it, and how it compares with the unquantized model."""

    converted: Converted
    imatrix: Imatrix | None = None
    comparison: Comparison | None = None


class VerificationInterrupted(KeyboardInterrupt):
    """Ctrl-C came when the file was complete already: ``made`` is what there is, without a comparison."""

    def __init__(self, made: Made) -> None:
        self.made = made
        super().__init__()


def make(
    checkpoint: Place,
    output: str | os.PathLike[str],
    file_type: FileType | str = FileType.Q4_K_M,
    *,
    imatrix: Imatrix | None = None,
    measure: bool = False,
    verify: bool = False,
    dialogues: Sequence[Conversation] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    steps: Steps | None = None,
    **additions: Unpack[Additions],
) -> Made:
    """Convert a checkpoint, with ``measure`` after measuring importances, with ``verify`` comparing afterwards.

    Args:
        checkpoint: as for :func:`~bayling_convert.pipeline.convert`, like all that is not said here.
        output: the file to write.
        file_type: how the weights are stored.
        imatrix: importances that are known already.
        measure: measure importances on built-in refinement dialogues in the model's languages.
        verify: compare the result with the unquantized model.
        dialogues: what to compare on; None takes built-in ones that share no sentence with those for measuring.
        overwrite: replace the output if it exists.
        progress: told of every piece of work; where the model is needed unquantized as well, of that pass first.
        steps: told of measuring and comparing: the steps done, the steps in all, and what they are.
        additions: a base, a template, what is known of the model.

    Raises:
        UsageError: nothing to compare or to measure for, because the file is not quantized that way.
        VerificationInterrupted: Ctrl-C while comparing; the file is complete.
        BaylingError: whatever converting, measuring and comparing raise.
    """
    path = Path(output)
    chosen = file_type if isinstance(file_type, FileType) else FileType.of(file_type)
    if chosen.is_exact and verify:
        raise UsageError(f"A file of the type {chosen} is not quantized: there is nothing to verify in it.")
    if measure and not chosen.uses_importance:
        raise UsageError(f"The type {chosen} does not use an importance matrix: measuring one would be in vain.")
    check_place(path, overwrite=overwrite)

    def write(target: Path, kind: FileType | None, importance: Imatrix | None, *, replace: bool) -> Converted:
        return convert(checkpoint, target, kind, imatrix=importance, overwrite=replace, progress=progress, **additions)

    reference = path.with_name(f".{path.name}.reference")
    if not (measure or verify):
        remove(reference)  # as large as the checkpoint, and hidden, where an earlier run was killed
        return Made(write(path, chosen, imatrix, replace=overwrite), imatrix)
    with _removed(reference):
        try:
            exact = write(reference, None, None, replace=True)
        except OutputError as error:
            raise OutputError(f"Measuring and verifying need the unquantized model for that time. {error}") from error
        languages = exact.provenance.languages
        if measure:
            imatrix = measure_dialogues(
                reference,
                calibration_dialogues(languages),
                dataset=calibration_name(languages),
                progress=lambda done, total: steps(done, total, "measuring importances") if steps else None,
            )
        converted = write(path, chosen, imatrix, replace=overwrite)
        comparison = None
        if verify:
            held_out = dialogues if dialogues is not None else held_out_dialogues(languages, _N_HELD_OUT)
            try:
                comparison = compare(reference, path, held_out, progress=steps)
            except KeyboardInterrupt:
                raise VerificationInterrupted(Made(converted, imatrix)) from None
            comparison = dataclasses.replace(comparison, reference=f"the unquantized model ({exact.file_type})")
        return Made(converted, imatrix, comparison)


@contextlib.contextmanager
def _removed(path: Path) -> Iterator[None]:
    """Remove a file in the end, however it ends. What of it is not whole yet stays, for the next run."""
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def card_of(made: Made, *, converter: str, repository: str | None = None) -> CardContents:
    """What a model card says of it.

    Args:
        made: what was written.
        converter: the program that wrote it, and its version.
        repository: OWNER/NAME on the hub, where the checkpoint came from there.
    """
    done, said = made.converted, made.converted.provenance
    with done.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    imatrix = made.imatrix
    importances = (
        None
        if imatrix is None or not done.file_type.uses_importance
        else ", ".join(imatrix.datasets) or "text that is not named"
    )
    shared = {name: getattr(said, name) for name in _SHARED}
    return CardContents(
        name=said.name or done.path.stem,
        files=(CardFile(done.path.name, done.file_type, done.n_bytes, digest, importances, made.comparison),),
        converter=converter,
        n_parameters=done.n_parameters,
        context_length=done.context_length,
        template=done.template,
        chat_template=done.chat_template,
        stop=done.stop,
        repository=repository,
        source_url=said.url,
        made=done.made,
        **shared,
    )
