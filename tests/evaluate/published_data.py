"""Where the public test data and published outputs are, for tests of the published numbers.

The environment variable ``BAYLING_EVALUATION_DATA`` names the folder: a checkout of ictnlp/BayLing, with one of
ruixiangcui/AGIEval in it or beside it (several folders are separated as those of ``PATH`` are). Where it is unset,
these tests are skipped, visibly.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bayling_lite.evaluate.data import DataFolder

# Read now: a test runs without the user's variables.
_FOLDERS = os.environ.get("BAYLING_EVALUATION_DATA", "")

PUBLISHED_FOLDERS = tuple(Path(name).absolute() for name in _FOLDERS.split(os.pathsep) if name)
"""The folders; none where the variable is unset."""

needs_published_data = pytest.mark.skipif(
    not PUBLISHED_FOLDERS, reason="BAYLING_EVALUATION_DATA does not name a folder with the public test data"
)
"""Marks a test, or with ``pytestmark`` a module, that reads the public data."""


def published_data() -> DataFolder:
    """The public test data, and the published outputs beside it."""
    return DataFolder(PUBLISHED_FOLDERS)
