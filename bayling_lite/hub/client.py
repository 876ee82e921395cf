"""The hub: asked what a repository has, with the shared cache to answer when it cannot be asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from huggingface_hub import constants, get_session
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from bayling_lite.errors import HubError, UsageError
from bayling_lite.hub.cache import SharedCache, is_commit, is_sha256
from bayling_lite.hub.failures import Asked, not_here, refuse_errors, translated
from bayling_lite.hub.patience import Notice, Patience, Unreachable
from bayling_lite.hub.reference import check_repository, check_revision
from bayling_lite.hub.remote_file import RemoteFile, is_safe_name
from bayling_lite.hub.repository import Access, Repository

_LISTING_TRIES = 3
_LARGEST_LISTING = 256 * 1024 * 1024
"""Bytes; 100,000 files, which is what the hub advises as the most, take a tenth of it."""


class Hub:
    """A Hugging Face hub, or a mirror of it.

    Left out, ``endpoint``, ``token`` and ``cache_dir`` are huggingface-hub's own (``HF_ENDPOINT``; ``HF_TOKEN`` or what
    ``hf auth login`` stored; ``HF_HUB_CACHE`` or ``HF_HOME``). Nothing is fetched when ``offline``, or when
    ``HF_HUB_OFFLINE`` is set. ``notice`` is told what is waited for where nothing else tells how far it is.

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
        notice: Notice | None = None,
    ) -> None:
        self._access = Access(
            _checked(endpoint or constants.ENDPOINT),
            token,
            SharedCache(cache_dir),
            replace(patience or Patience(), notice=notice),
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
            patience.tell(f"asking {asked.host}")
            listing = patience.persist(lambda: self._ask(asked), str(asked), asked.host)
        except Unreachable as error:
            if cached is None:
                raise
            return replace(cached, unreachable=error)
        files = self._files(listing)
        return Repository(name, revision, _commit(listing, asked), files, self._access)

    def _ask(self, asked: Asked) -> dict[str, Any]:
        """What the hub says of a repository: https://huggingface.co/docs/hub/api, ``/api/models/{repo_id}``."""
        access, answer = self._access, bytearray()
        revision = f"/revision/{quote(asked.revision, safe='')}" if asked.revision is not None else ""
        with (
            translated(asked),
            get_session().stream(
                "GET",
                f"{access.endpoint}/api/models/{asked.repository}{revision}",
                params={"blobs": "true"},
                headers=build_hf_headers(token=access.token),
                timeout=access.patience.stall,
                follow_redirects=True,
            ) as response,
        ):
            refuse_errors(response)
            for piece in response.iter_bytes():
                answer += piece
                if len(answer) > _LARGEST_LISTING:
                    raise self._is_no_hub()
        try:
            listing = json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise self._is_no_hub() from error
        if not isinstance(listing, dict):
            raise self._is_no_hub()
        return listing

    def _files(self, listing: dict[str, Any]) -> dict[str, RemoteFile]:
        """The files by name, without those whose names could lead out of a folder or whose size is not said."""
        siblings = listing.get("siblings") or []
        if not isinstance(siblings, list) or not all(isinstance(one, dict) and "rfilename" in one for one in siblings):
            raise self._is_no_hub()
        files = {one["rfilename"]: _file(one) for one in siblings if is_safe_name(one["rfilename"])}
        return {name: file for name, file in sorted(files.items()) if file is not None}

    def _is_no_hub(self) -> HubError:
        return HubError(
            f"{self._access.endpoint} does not answer as a hub does. Check HF_ENDPOINT if it is set, and whether the "
            "network first wants you to log in on a page of its own."
        )

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


def _commit(listing: dict[str, Any], asked: Asked) -> str:
    commit = listing.get("sha")
    if not is_commit(commit):
        raise HubError(f"{asked}: the hub does not say which commit that is. Check HF_ENDPOINT if it is set.")
    return str(commit)


def _file(sibling: dict[str, Any]) -> RemoteFile | None:
    lfs, git_id = sibling.get("lfs"), sibling.get("blobId")
    size = lfs.get("size") if isinstance(lfs, dict) else sibling.get("size")
    if type(size) is not int or size < 0:
        return None
    if isinstance(lfs, dict):  # then the git blob is a pointer, whose identifier says nothing about the content's bytes
        sha256 = lfs.get("sha256")
        return RemoteFile(size, sha256=str(sha256) if is_sha256(sha256) else None)
    return RemoteFile(size, git_id=str(git_id) if is_commit(git_id) else None)
