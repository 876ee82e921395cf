"""What a model's licence asks of those who pass it on: how the hub calls it, and the words that must go along.

Sources: the hub's list of licences (https://huggingface.co/docs/hub/repositories-licenses); section 1.b of the Llama
agreements (https://www.llama.com/llama3/license/ and its siblings, https://ai.meta.com/llama/license/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_IDENTIFIERS = (
    "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 "
    "bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 "
    "cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 "
    "cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 "
    "cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl "
    "gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl osl-3.0 postgresql ofl-1.1 "
    "ncsa unlicense zlib pddl llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma"
)
HUB_LICENCES = frozenset(_IDENTIFIERS.split())
"""What the hub calls the licences it knows, as of 2026."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A licence of Meta's: ``hub`` is its identifier there.

    ``display`` must be shown prominently, ``notice`` must go along in a text file, and the names of models made from
    these must begin with ``prefix``; None where that is not asked for.
    """

    hub: str
    name: str
    url: str
    notice: str | None = None
    display: str | None = None
    prefix: str | None = None


def _notice(model: str, licence: str) -> str:
    return f"{model} is licensed under the {licence}, Copyright © Meta Platforms, Inc. All Rights Reserved."


def _newer(version: str) -> Terms:
    """Llama 3.1 to 3.3, whose agreements differ in the number only."""
    name = f"Llama {version} Community License"
    return Terms(
        f"llama{version}",
        name,
        f"https://www.llama.com/llama{version.replace('.', '_')}/license/",
        _notice(f"Llama {version}", name),
        "Built with Llama",
        "Llama",
    )


_LLAMA_2 = Terms(
    "llama2",
    "Llama 2 Community License",
    "https://ai.meta.com/llama/license/",
    _notice("Llama 2", "LLAMA 2 Community License"),
)
_LLAMA_3 = Terms(
    "llama3",
    "Meta Llama 3 Community License",
    "https://www.llama.com/llama3/license/",
    _notice("Meta Llama 3", "Meta Llama 3 Community License"),
    "Built with Meta Llama 3",
    "Llama 3",
)
LLAMA_1 = Terms(
    "other", "LLaMA licence (non-commercial)", "https://github.com/meta-llama/llama/blob/llama_v1/MODEL_CARD.md"
)
"""For research that is not commercial; Meta gave the weights to single applicants."""

_BY_VERSION = {"2": _LLAMA_2, "3": _LLAMA_3} | {version: _newer(version) for version in ("3.1", "3.2", "3.3")}
_LLAMA = re.compile(
    r"(?<![a-z])(?<!open[-_])llama(?:[-_ ]?v?([1-9](?:\.[0-9])?)(?![0-9.]*b|[0-9])|(?=[-_ ][0-9]+b)|(?= licen[cs]e))",
    re.IGNORECASE,
)
"""Meta's own names: with a version, or of the first LLaMA, which had none."""


def terms_of(*texts: str | None) -> Terms | None:
    """Meta's licence that the first of these (a licence's name, a base model's name) tells of; None for another's."""
    for text in texts:
        found = _LLAMA.search(text or "")
        if found:
            version = found[1]
            return LLAMA_1 if version in (None, "1") else _BY_VERSION.get(version)
    return None


def hub_licence(licence: str | None) -> str | None:
    """The hub's identifier of a licence: ``other`` for one it does not know, None where nothing is said."""
    if not licence or not licence.strip():
        return None
    identifier = licence.strip().casefold().replace(" ", "-")
    if identifier in HUB_LICENCES:
        return identifier
    terms = terms_of(licence)
    return terms.hub if terms else "other"
