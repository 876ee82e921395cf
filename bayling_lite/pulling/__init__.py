"""Fetch models into the models folder: checkpoints are converted on the way, ready-made GGUF files taken as they are.

::

    read_request(...)      request: a name, a repository, a type  ►  which repository, which type, where it goes
    make_plan(...)         plan: what the repository has  ►  which file, or a conversion; licence and sizes
    pull(...)              work: the whole way; what is interrupted goes on when the same is asked for again
"""

from __future__ import annotations

from bayling_lite.pulling.plan import Plan
from bayling_lite.pulling.request import PullRequest
from bayling_lite.pulling.work import Pulled, pull

__all__ = ["Plan", "PullRequest", "Pulled", "pull"]
