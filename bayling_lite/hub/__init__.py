"""Files from the Hugging Face hub: listed, read in part, fetched whole, resumed, and never taken unchecked.

::

    repository = Hub().repository("ICTNLP/bayling-2-7b")     client: what the hub has, or the shared cache when offline
    repository.read("config.json", limit=1_000_000)          repository: a small file, checked
    repository.open("model.safetensors")                     ranges: a large one's header, by range requests
    repository.download("model.gguf", folder)                download: whole, resumable, checked
    HubCheckpoint(repository, work_folder)                   checkpoint: what bayling_convert reads

All of it goes through huggingface-hub, so that its settings count: ``HF_ENDPOINT``, ``HF_TOKEN`` and ``hf auth login``,
``HF_HUB_OFFLINE``, ``HF_HOME`` and ``HF_HUB_CACHE``, ``HF_HUB_DOWNLOAD_TIMEOUT``, proxies and certificates. Fetching is
our own, because huggingface-hub begins a broken download again from its first byte.
"""

from __future__ import annotations

from bayling_lite.errors import UsageError

try:
    from bayling_lite.hub.checkpoint import HubCheckpoint
    from bayling_lite.hub.client import Hub
    from bayling_lite.hub.download import Progress
    from bayling_lite.hub.patience import Notice, Patience
    from bayling_lite.hub.reference import Reference, parse_reference
    from bayling_lite.hub.remote_file import RemoteFile
    from bayling_lite.hub.repository import Repository
except ValueError as error:  # huggingface-hub reads the environment when it is imported
    raise UsageError(
        f"One of huggingface-hub's variables has a value that it cannot read ({error}): check HF_ENDPOINT, "
        "HF_HUB_DOWNLOAD_TIMEOUT and the other numbers."
    ) from error

__all__ = [
    "Hub",
    "HubCheckpoint",
    "Notice",
    "Patience",
    "Progress",
    "Reference",
    "RemoteFile",
    "Repository",
    "parse_reference",
]
