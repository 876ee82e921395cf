"""What a GGUF says of itself: architecture, tokenizer, how to talk to it, and where it came from.

Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, and our own under ``bayling.``:

===========================  =======================================================
``bayling.template``         name of the :class:`~bayling_lite.prompts.PromptTemplate`
``bayling.stop_token_ids``   ids of all tokens that end an answer
``bayling.placeholders``     placeholder and text in turn: what the model writes, and
                             what belongs there
``bayling.languages``        codes of the languages the model was trained to translate
``bayling.demonstrator``     true for a model that shows the way rather than doing work
``bayling.base``             the model it was fine-tuned from
``bayling.recipe_sha256``    digest of the training recipe
``bayling.data_sha256``      digest of the training data
``bayling.version``          the model's own version
``bayling.revision``         state of the checkpoint at ``general.source.url``
``bayling.imatrix_digest``   digest of the importance matrix it was quantized with
===========================  =======================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gguf import GGML_QUANT_VERSION, GGUFWriter, RopeScalingType, size_label

from bayling_convert.reading.checkpoint import Checkpoint
from bayling_convert.reading.configuration import HyperParameters
from bayling_convert.reading.provenance import Provenance
from bayling_convert.tokenizer.pieces import PieceType, Vocab
from bayling_convert.weights.quantize import FileType
from bayling_convert.weights.tensor_map import MappedTensor, count_parameters
from bayling_lite.errors import CheckpointError, UsageError
from bayling_lite.prompts import TEMPLATES, V1_PLACEHOLDERS, PromptTemplate, Special

if TYPE_CHECKING:
    from bayling_convert.importance.imatrix import Imatrix

# What ends a turn, and a message within one, where no template says it: llama.cpp's own names for LLaMA 3's tokens.
_END_OF_TURN = "<|eot_id|>"
_END_OF_MESSAGE = "<|eom_id|>"


def find_template(checkpoint: Checkpoint, asked: str | None) -> PromptTemplate | None:
    """The template asked for, else the one ``bayling.json`` names, else none (the checkpoint's own Jinja is kept).

    Raises:
        UsageError: no template of the name asked for.
        CheckpointError: ``bayling.json`` names an unknown one.
    """
    name = asked or checkpoint.provenance.template
    if name is None:
        return None
    if name in TEMPLATES:
        return TEMPLATES[name]
    known = ", ".join(TEMPLATES)
    if asked:
        raise UsageError(f"Unknown template {asked!r}. Known: {known}.")
    raise CheckpointError(f"{checkpoint.files.path('bayling.json')} names the template {name!r}. Known: {known}.")


def add_metadata(
    writer: GGUFWriter,
    checkpoint: Checkpoint,
    vocab: Vocab,
    template: PromptTemplate | None,
    file_type: FileType,
    tensors: Iterable[MappedTensor],
    imatrix: Imatrix | None = None,
) -> None:
    """Write every key.

    Raises:
        CheckpointError: the template needs special tokens that the tokenizer does not have.
    """
    _add_general(writer, checkpoint, file_type, count_parameters(tensors))
    _add_hyper_parameters(writer, checkpoint.hyper)
    add_tokenizer(writer, vocab)
    jinja = template.jinja if template is not None else checkpoint.chat_template
    if jinja:
        writer.add_chat_template(jinja)
    _add_stops(writer, find_stops(vocab, template))
    _add_provenance(writer, checkpoint.provenance, template)
    if imatrix is not None:
        _add_imatrix(writer, imatrix)


def _add_general(writer: GGUFWriter, checkpoint: Checkpoint, file_type: FileType, n_parameters: int) -> None:
    said = checkpoint.provenance
    writer.add_type("model")
    writer.add_name(checkpoint.name)
    writer.add_basename(checkpoint.name)
    writer.add_size_label(size_label(n_parameters, n_parameters, 0, 0))
    writer.add_file_type(file_type.llama)
    writer.add_quantization_version(GGML_QUANT_VERSION)
    for text, add in (
        (said.license, writer.add_license),
        (said.version, writer.add_version),
        (said.description, writer.add_description),
        (said.url, writer.add_source_url),
    ):
        if text:
            add(text)
    if said.languages:
        writer.add_languages(list(said.languages))
    if said.datasets:
        writer.add_array("general.datasets", list(said.datasets))
    if said.base:
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, said.base)
        if said.base_url:
            writer.add_base_model_url(0, said.base_url)


def _add_hyper_parameters(writer: GGUFWriter, hyper: HyperParameters) -> None:
    writer.add_block_count(hyper.n_layers)
    writer.add_context_length(hyper.context_length)
    writer.add_embedding_length(hyper.hidden_size)
    writer.add_feed_forward_length(hyper.intermediate_size)
    writer.add_head_count(hyper.n_heads)
    writer.add_head_count_kv(hyper.n_kv_heads)
    writer.add_key_length(hyper.head_dim)
    writer.add_value_length(hyper.head_dim)
    writer.add_layer_norm_rms_eps(hyper.rms_norm_eps)
    writer.add_vocab_size(hyper.vocab_size)
    writer.add_rope_dimension_count(hyper.head_dim)
    writer.add_rope_freq_base(hyper.rope_theta)
    # LLaMA 3's scaling is not a key but a tensor, rope_freqs.
    if hyper.rope_scaling is not None and hyper.rope_scaling.kind == "linear":
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(hyper.rope_scaling.factor)


def add_tokenizer(writer: GGUFWriter, vocab: Vocab) -> None:
    """Write what llama.cpp tokenizes with."""
    writer.add_tokenizer_model(vocab.model)
    writer.add_tokenizer_pre(vocab.pre)
    writer.add_token_list([piece.text for piece in vocab.pieces])
    writer.add_token_types([int(piece.kind) for piece in vocab.pieces])
    if vocab.model == "llama":
        writer.add_token_scores([piece.score for piece in vocab.pieces])
        writer.add_remove_extra_whitespaces(vocab.remove_extra_whitespaces)
    else:
        writer.add_token_merges(vocab.merges)
    for number, add in (
        # Without the key llama.cpp takes an ordinary token for it.
        (vocab.bos if vocab.bos is not None else vocab.eos, writer.add_bos_token_id),
        (vocab.eos, writer.add_eos_token_id),
        (vocab.unk, writer.add_unk_token_id),
        (vocab.pad, writer.add_pad_token_id),
    ):
        if number is not None:
            add(number)
    writer.add_add_bos_token(vocab.add_bos and vocab.bos is not None)
    writer.add_add_eos_token(vocab.add_eos and vocab.eos is not None)
    writer.add_add_space_prefix(vocab.add_space_prefix)


@dataclass(frozen=True, slots=True)
class Stops:
    """Ids of the tokens that end an answer: that of a turn, that of a message within one, and all there are."""

    end_of_turn: int | None
    end_of_message: int | None
    all: tuple[int, ...]


def find_stops(vocab: Vocab, template: PromptTemplate | None) -> Stops:
    """Every token that ends an answer. Of LLaMA 3, the EOS of the configuration is often not what ends a turn.

    Raises:
        CheckpointError: the template needs special tokens that the tokenizer does not have.
    """
    ids = {piece.text: number for number, piece in enumerate(vocab.pieces) if piece.kind is PieceType.CONTROL}
    specials = template.specials if template is not None else ()
    missing = next((part.token for part in specials if part.token not in ids), None)
    if template is not None and missing is not None:
        raise CheckpointError(
            f"The template {template.name!r} needs the token {missing}, which this tokenizer does not have; "
            f"choose another template ({', '.join(TEMPLATES)})."
        )
    named = [part.token for part in template.stop if isinstance(part, Special)] if template is not None else []
    end_of_turn = ids.get(named[0] if named else _END_OF_TURN)
    end_of_message = ids.get(_END_OF_MESSAGE)
    stops = (*vocab.stops, end_of_turn, end_of_message, *(ids[token] for token in named))
    known = sorted({number for number in stops if number is not None})
    return Stops(end_of_turn, end_of_message, tuple(known))


def _add_stops(writer: GGUFWriter, stops: Stops) -> None:
    if stops.end_of_turn is not None:
        writer.add_eot_token_id(stops.end_of_turn)
    if stops.end_of_message is not None:
        writer.add_eom_token_id(stops.end_of_message)
    writer.add_array("bayling.stop_token_ids", list(stops.all))


def _add_imatrix(writer: GGUFWriter, imatrix: Imatrix) -> None:
    """Say what the quantization was weighted with; the ``quantize.`` keys are llama-quantize's own."""
    writer.add_string("bayling.imatrix_digest", imatrix.digest)
    writer.add_uint32("quantize.imatrix.entries_count", len(imatrix.values))
    writer.add_uint32("quantize.imatrix.chunks_count", imatrix.chunk_count)
    if imatrix.datasets:
        writer.add_string("quantize.imatrix.dataset", imatrix.datasets[0])
    if imatrix.file is not None:
        writer.add_string("quantize.imatrix.file", imatrix.file.name)


def _add_provenance(writer: GGUFWriter, said: Provenance, template: PromptTemplate | None) -> None:
    for key, text in (
        ("template", template.name if template is not None else None),
        ("base", said.base),
        ("recipe_sha256", said.recipe_sha256),
        ("data_sha256", said.data_sha256),
        ("version", said.version),
        ("revision", said.revision),
    ):
        if text:
            writer.add_string(f"bayling.{key}", text)
    if said.languages:
        writer.add_array("bayling.languages", list(said.languages))
    if said.placeholders:
        writer.add_array("bayling.placeholders", [text for pair in V1_PLACEHOLDERS.items() for text in pair])
    writer.add_bool("bayling.demonstrator", said.demonstrator)
