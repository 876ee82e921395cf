"""The hub: asked what a repository has, with the shared cache to answer when it cannot be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from huggingface_hub import HfApi, constants
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from bayling_lite.errors import HubError, UsageError
from bayling_lite.hub.cache import SharedCache, is_commit, is_sha256
from bayling_lite.hub.failures import Asked, not_here, translated
from bayling_lite.hub.patience import Patience, Unreachable
from bayling_lite.hub.reference import check_repository, check_revision
from bayling_lite.hub.remote_file import RemoteFile, is_safe_name
from bayling_lite.hub.repository import Access, Repository

_LISTING_TRIES = 3


class Hub:
    """A Hugging Face hub, or a mirror of it.

    Left out, ``endpoint``, ``token`` and ``cache_dir`` are huggingface-hub's own (``HF_ENDPOINT``; ``HF_TOKEN`` or what
    ``hf auth login`` stored; ``HF_HUB_CACHE`` or ``HF_HOME``). Nothing is fetched when ``offline``, or when
    ``HF_HUB_OFFLINE`` is set.

    Raises:
        UsageError: the endpoint is no web address.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        token: str | None = None,
        *,
        offline: bool = False,
        cache_dir: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._access = Access(
            _checked(endpoint or constants.ENDPOINT), token, SharedCache(cache_dir), patience or Patience()
        )
        self._offline = offline

    @property
    def offline(self) -> bool:
        """Whether nothing may be fetched."""
        return self._offline or constants.HF_HUB_OFFLINE

    def repository(self, name: str, revision: str | None = None) -> Repository:
        """What ``OWNER/NAME`` has at a branch, tag or commit; at its main branch when none is named.

        Offline, and when the hub cannot be reached, it is what the shared cache has of it.

        Raises:
            UsageError: the name or the revision cannot be one.
            HubError: no such repository or revision, no access, or no answer and nothing in the cache.
            ModelNotFound: offline, and nothing in the cache.
        """
        check_repository(name)
        if revision is not None:
            check_revision(revision)
        asked = Asked(self._access.endpoint, name, revision)
        cached = self._cached(name, revision)
        if self.offline:
            if cached is None:
                raise not_here(asked)
            return cached
        try:
            # With something in the cache nobody wants to wait for the network to come back.
            patience = replace(self._access.patience, tries=_LISTING_TRIES if cached is None else 1)
            info = patience.persist(lambda: self._ask(asked), str(asked))
        except Unreachable:
            if cached is None:
                raise
            return cached
        return Repository(name, revision, _commit(info, asked), _files(info), self._access)

    def _ask(self, asked: Asked) -> ModelInfo:
        access = self._access
        with translated(asked):
            try:
                return HfApi(endpoint=access.endpoint, token=access.token).model_info(
                    asked.repository, revision=asked.revision, files_metadata=True, timeout=access.patience.stall
                )
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                if isinstance(error, OSError):  # huggingface-hub's refusals, some of which are ValueErrors as well
                    raise
                raise HubError(
                    f"{access.endpoint} does not answer as a hub does. Check HF_ENDPOINT if it is set, and whether the "
                    "network first wants you to log in on a page of its own."
                ) from error

    def _cached(self, name: str, revision: str | None) -> Repository | None:
        found = self._access.cache.snapshot(name, revision)
        return Repository(name, revision, *found, self._access, offline=True) if found else None


def _checked(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{endpoint!r} (HF_ENDPOINT) is no address of a hub; it should look like https://HOST.")
    return endpoint.rstrip("/")


def _commit(info: ModelInfo, asked: Asked) -> str:
    if not is_commit(info.sha):
        raise HubError(f"{asked}: the hub does not say which commit that is. Check HF_ENDPOINT if it is set.")
    return str(info.sha)


def _files(info: ModelInfo) -> dict[str, RemoteFile]:
    """The files by name, without those whose names could lead out of a folder or whose size is not said."""
    files = {sibling.rfilename: _file(sibling) for sibling in info.siblings or [] if is_safe_name(sibling.rfilename)}
    return {name: file for name, file in sorted(files.items()) if file is not None}


def _file(sibling: RepoSibling) -> RemoteFile | None:
    lfs = sibling.lfs
    size = lfs.size if lfs else sibling.size
    if type(size) is not int or size < 0:
        return None
    if lfs:  # then the git blob is a pointer, whose identifier says nothing about the content's bytes
        return RemoteFile(size, sha256=lfs.sha256 if is_sha256(lfs.sha256) else None)
    return RemoteFile(size, git_id=sibling.blob_id if is_commit(sibling.blob_id) else None)
