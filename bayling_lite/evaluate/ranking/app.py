"""The ranking page as a web application (ASGI): a name, items to rank, an overview, and the ballots it takes.

Nothing that it sends names a system, a file, an item's id or the study: items have numbers, outputs have letters.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bayling_lite.errors import BaylingError, UsageError
from bayling_lite.evaluate.ranking import pages
from bayling_lite.evaluate.ranking.dealing import deal
from bayling_lite.evaluate.ranking.guarding import Guard
from bayling_lite.evaluate.ranking.store import Conflict, StudyStore
from bayling_lite.evaluate.ranking.values import Aspect
from bayling_lite.evaluate.ranking.words import LANGUAGES, Words, preferred

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # To itself the page says where a request came from, which is_own() looks at; to others nothing.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LANGUAGE_COOKIE = "ranking-language"
_MOST_BYTES = 1 << 16
_LONGEST_REASON, _LONGEST_PAGE = 200, 64
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_OUR_PAGE = re.compile(r"(item/\d+|overview)\?[^#]*$")
_A_DAY, _A_YEAR = 86_400, 31_536_000

Handler = Callable[[Request], Awaitable[Response]]
log = logging.getLogger(__name__)


class RankingApp:
    """Serves one study; ``asgi`` is the application. What it does takes no time, so nothing is awaited but requests."""

    def __init__(self, store: StudyStore, guard: Guard) -> None:
        self._store = store
        self._study = store.needed()
        self._guard = guard
        # What is left to do depends on the items' aspects, which never change.
        self._aspects = [self._study.aspects_of(item) for item in store.items()]
        self.asgi = Starlette(
            routes=[
                Route("/", self._guarded(self._start)),
                Route("/begin", self._guarded(self._begin)),
                Route("/item/{number}", self._guarded(self._item)),
                Route("/overview", self._guarded(self._overview)),
                Route("/ballot", self._guarded(self._ballot), methods=["POST"]),
                Route("/language/{code}", self._guarded(self._language)),
                Route("/static/{name}", self._guarded(self._static)),
            ],
            exception_handlers={404: self._no_page, 405: self._no_page},
        )
        # It would lead to whatever host was asked for, before anybody was let in.
        self.asgi.router.redirect_slashes = False

    def _guarded(self, handler: Handler) -> Handler:
        """A handler behind the guard: its failures in words, and on every answer the headers that keep it private."""

        async def answered(request: Request) -> Response:
            response = await self._admitted(handler, request)
            response.headers.update(_HEADERS)
            return response

        return answered

    async def _admitted(self, handler: Handler, request: Request) -> Response:
        words = _words(request)
        token = request.query_params.get("token", "")
        if token and self._guard.is_token(token):
            return self._let_in(request)
        if not self._guard.lets_in(request.headers.get("host", ""), request.cookies):
            return _failure(request, words("no_token"), 403)
        if request.method == "POST" and not self._guard.is_own(request.headers):
            return _failure(request, words("foreign"), 403)
        try:
            return await handler(request)
        except Conflict:
            return _failure(request, words("changed"), 409)
        except UsageError:
            return _failure(request, words("too_old"), 400)
        except BaylingError as error:
            # Its text names the study's file, which is for whoever runs the server.
            log.error("%s", error)
            return _failure(request, words("disk"), 507)

    def _let_in(self, request: Request) -> Response:
        """Keep the token as a cookie and go to the same address without it."""
        url = request.url.remove_query_params("token")
        response = RedirectResponse(url.path + (f"?{url.query}" if url.query else ""), 303)
        response.set_cookie(
            self._guard.cookie, request.query_params["token"], max_age=_A_YEAR, httponly=True, samesite="lax"
        )
        return response

    async def _start(self, request: Request) -> Response:
        if "person" in request.query_params:
            return await self._begin(request)
        return HTMLResponse(pages.start_page(_words(request), name=request.query_params.get("name", "")))

    async def _begin(self, request: Request) -> Response:
        name = request.query_params.get("person", "")
        try:
            person = self._store.spelled(name)
        except UsageError:
            words = _words(request)
            return HTMLResponse(pages.start_page(words, trouble=words("name_needed"), name=name[:80]), 400)
        return RedirectResponse(self._next(person, 0), 303)

    async def _item(self, request: Request) -> Response:
        number = request.path_params["number"]
        if not _NUMBER.fullmatch(number) or int(number) > self._study.n_items:
            return self._no_page(request, None)
        position = int(number) - 1
        person = self._store.spelled(request.query_params.get("person", ""))
        item = self._store.item(position)
        done = self._done(person)
        page = pages.item_page(
            _words(request),
            person,
            mark=self._study.mark,
            position=position,
            item=item,
            aspects=self._aspects[position],
            groups=deal(self._study, item, position, person),
            ballot=self._store.ballot(person, position),
            progress=pages.Progress(len(done), self._study.n_items),
            next_address=self._next(person, position + 1, done | {position}),
        )
        return HTMLResponse(page)

    async def _overview(self, request: Request) -> Response:
        person = self._store.spelled(request.query_params.get("person", ""))
        states = ["open"] * self._study.n_items
        for ballot in self._store.ballots(person):
            complete = ballot.complete(self._aspects[ballot.position], len(self._study.systems))
            begun = "begun" if any(ballot.ranks.values()) else "open"
            states[ballot.position] = "skipped_mark" if ballot.skipped else "ranked" if complete else begun
        progress = pages.Progress(len(self._done(person)), self._study.n_items)
        return HTMLResponse(pages.overview_page(_words(request), person, states, progress))

    async def _ballot(self, request: Request) -> Response:
        said = await _json(request)
        # Addresses know no studies: a page of the one that was served here before is still open, and sends its ballots.
        if said.get("mark") != self._study.mark:
            raise UsageError("A ballot belongs to the study that is served.")
        position = _whole(said, "item") - 1
        item = self._store.item(position)
        person = self._store.spelled(_text(said, "person"))
        groups = deal(self._study, item, position, person)
        ranks = _ranks(said.get("ranks"), self._aspects[position], groups)
        skipped = _line(_text(said, "skipped"))[:_LONGEST_REASON]
        seconds, after, page = _seconds(said.get("seconds")), _whole(said, "after"), _text(said, "page")[:_LONGEST_PAGE]
        # Only who has said something that fits is taken in.
        ballot = self._store.keep(
            self._store.enter(person),
            position,
            groups,
            ranks=ranks,
            skipped=skipped,
            seconds=seconds,
            after=after,
            page=page,
        )
        return JSONResponse({"number": ballot.number, "next": self._next(ballot.person, position + 1)})

    async def _language(self, request: Request) -> Response:
        code = request.path_params["code"]
        # Back to the page of ours that it was asked from, if it was one.
        _, _, came_from = request.headers.get("referer", "").partition(f"//{request.headers.get('host', '')}/")
        response = RedirectResponse(f"/{came_from}" if _OUR_PAGE.match(came_from) else "/", 303)
        if code in LANGUAGES:
            response.set_cookie(_LANGUAGE_COOKIE, code, max_age=_A_YEAR, httponly=True, samesite="lax")
        return response

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in pages.STATIC:
            return self._no_page(request, None)
        return Response((pages.TEMPLATES / name).read_bytes(), media_type=pages.STATIC[name])

    def _no_page(self, request: Request, _error: object) -> Response:
        words = _words(request)
        return HTMLResponse(pages.trouble_page(words, words("no_page")), 404, headers=_HEADERS)

    def _done(self, person: str) -> set[int]:
        """The positions of the items that a person need not look at again."""
        n = len(self._study.systems)
        return {each.position for each in self._store.ballots(person) if each.done(self._aspects[each.position], n)}

    def _next(self, person: str, start: int, done: set[int] | None = None) -> str:
        """Where a person goes on: the first item to do at or after a position, else the first at all."""
        done = self._done(person) if done is None else done
        left = [position for position in range(self._study.n_items) if position not in done]
        query = f"person={quote(person, safe='')}"
        if not left:
            return f"/overview?{query}"
        return f"/item/{next((each for each in left if each >= start), left[0]) + 1}?{query}"


def _words(request: Request) -> Words:
    chosen = request.cookies.get(_LANGUAGE_COOKIE, "")
    return Words(chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", "")))


def _failure(request: Request, text: str, status: int) -> Response:
    if request.method == "POST":
        return JSONResponse({"error": text}, status)
    return HTMLResponse(pages.trouble_page(_words(request), text), status)


async def _json(request: Request) -> Mapping[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise UsageError("A ballot is smaller than this.")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("A ballot is JSON.") from error
    if not isinstance(value, dict) or not request.headers.get("content-type", "").startswith("application/json"):
        raise UsageError("A ballot is a JSON object.")
    return value


def _ranks(value: object, aspects: Sequence[Aspect], groups: Sequence[Sequence[int]]) -> dict[Aspect, dict[int, int]]:
    """What was given to the outputs as they were shown, for the systems behind them."""
    if not isinstance(value, dict) or set(value) != {aspect.value for aspect in aspects}:
        raise UsageError("A ballot has places by every aspect of its item.")
    ranks: dict[Aspect, dict[int, int]] = {}
    for aspect in aspects:
        given = value[aspect.value]
        if not isinstance(given, list) or len(given) != len(groups):
            raise UsageError("A ballot has a place for every output, null where none was given.")
        if any(place is not None and (type(place) is not int or not 1 <= place <= len(groups)) for place in given):
            raise UsageError("A place is a whole number from 1 to the number of outputs.")
        pairs = zip(groups, given, strict=True)
        ranks[aspect] = {system: place for group, place in pairs if place is not None for system in group}
    return ranks


def _whole(said: Mapping[str, Any], key: str) -> int:
    value = said.get(key)
    if type(value) is not int or not 0 <= value < 2**53:
        raise UsageError(f"A ballot has a whole number as its {key}.")
    return value


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str):
        raise UsageError(f"A ballot has a text as its {key}.")
    return value


def _line(text: str) -> str:
    """A text as one line without characters that nobody sees."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _seconds(value: object) -> float:
    return min(max(float(value), 0.0), _A_DAY) if isinstance(value, int | float) and value == value else 0.0
