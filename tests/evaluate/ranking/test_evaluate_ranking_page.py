"""The page over HTTP: who is let in, what it takes, what it never says."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.ranking import Aspect
from bayling_lite.evaluate.ranking.dealing import deal
from bayling_lite.evaluate.ranking.guarding import Guard
from bayling_lite.evaluate.ranking.serving import DEFAULT_PORT, RankingServer, listening
from bayling_lite.evaluate.ranking.store import StudyStore
from bayling_lite.evaluate.ranking.values import Study
from bayling_lite.evaluate.ranking.words import Words, preferred
from tests.evaluate.ranking.ranking_studies import new_store, served

HOSTILE = "<script>alert('x')</script> \"&amp; \x1b[2J \u202egnp.exe \ud800 {{ 7 * 7 }}"
SYSTEMS = {
    "SecretAlpha": [HOSTILE, "a1", "same"],
    "SecretBeta": ["b\n\nb", "b1", "same"],
    "SecretGamma": ["", "c1", "same"],
}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str


class Client:
    """Asks a server, as a browser that keeps its cookies would, but follows no redirection."""

    def __init__(self, server: RankingServer, mark: str) -> None:
        self.at = urlsplit(server.address)
        self.mark = mark
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        assert self.at.hostname is not None
        connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=10)
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        try:
            connection.request(method, path, body, {**cookie, **{k.replace("_", "-"): v for k, v in headers.items()}})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for value in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, None, **headers)

    def vote(self, person: str, item: int, places: list[int | None], /, **more: object) -> Reply:
        ballot = {"mark": self.mark, "person": person, "item": item, "ranks": {"translation": places}, "after": 0}
        body = json.dumps(ballot | {"skipped": "", "seconds": 1.5, "page": "p"} | more).encode()
        origin = f"http://{self.at.netloc}"
        return self.ask("POST", "/ballot", body, Origin=origin, Content_Type="application/json")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudyStore]:
    with new_store(tmp_path_factory.mktemp("study"), ["x <b>1</b>", "y", "z"], SYSTEMS) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(store: StudyStore) -> Iterator[Client]:
    with served(store, port=None) as server:
        yield Client(server, store.needed().mark)


def number_of(store: StudyStore, said: str) -> int:
    """The number on the page of the item of which one output is this."""
    return next(n for n, item in enumerate(store.items(), 1) if item.outputs[1].said == (said,))


def test_what_systems_wrote_is_text(client: Client, store: StudyStore) -> None:
    page = client.get(f"/item/{number_of(store, SYSTEMS['SecretBeta'][0])}?person=Anna").text
    assert (
        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &#34;&amp;amp; \ufffd[2J \ufffdgnp.exe \ufffd {{ 7 * 7 }}"
        in page
    )
    assert "x &lt;b&gt;1&lt;/b&gt;" in page
    assert "<script>" not in page
    assert "b\n\nb" in page
    assert "(no answer)" in page


def test_nothing_says_which_system_it_is(client: Client, store: StudyStore) -> None:
    seen = []
    for path in (
        "/",
        "/begin?person=Bo",
        "/overview?person=Bo",
        "/nothing",
        *(f"/item/{n}?person=Bo" for n in (1, 2, 3)),
    ):
        reply = client.get(path)
        seen.append(reply.text + json.dumps(dict(reply.headers)))
    seen.append(client.vote("Bo", number_of(store, "b1"), [1, 2, 3]).text)
    seen.append(client.vote("Bo", 99, [1]).text)
    everything = "\n".join(seen).casefold()
    study = store.needed()
    for secret in ("secret", "alpha", "beta", "file-of", "study", str(study.seed) + "/", study.token, "uvicorn"):
        assert secret.casefold() not in everything, secret


def test_a_ballot_is_kept_for_the_systems_behind_the_letters(client: Client, store: StudyStore) -> None:
    number = number_of(store, "b1")
    reply = client.vote("Cy", number, [2, None, 1])
    assert reply.status == 200
    groups = deal(store.needed(), store.item(number - 1), number - 1, "Cy")
    kept = store.ballot("Cy", number - 1)
    assert kept is not None
    assert kept.ranks == {Aspect.TRANSLATION: {groups[0][0]: 2, groups[2][0]: 1}}
    assert kept.seconds == 1.5
    page = client.get(f"/item/{number}?person=cy").text
    assert [page.count(f'data-given="{given}"') for given in ("2", "", "1")] == [1, 1, 1]
    assert f'data-after="{json.loads(reply.text)["number"]}"' in page


def test_identical_outputs_share_one_card_and_one_place(client: Client, store: StudyStore) -> None:
    number = number_of(store, "same")
    assert client.get(f"/item/{number}?person=Di").text.count('<article class="card"') == 1
    assert client.vote("Di", number, [1]).status == 200
    kept = store.ballot("Di", number - 1)
    assert kept is not None
    assert kept.ranks == {Aspect.TRANSLATION: {0: 1, 1: 1, 2: 1}}


def test_people_are_led_to_what_is_left_to_do(client: Client) -> None:
    assert client.get("/begin?person=Ed").headers["location"] == "/item/1?person=Ed"
    sizes = [client.get(f"/item/{n}?person=Ed").text.count('<article class="card"') for n in (1, 2, 3)]
    assert json.loads(client.vote("Ed", 2, [1] * sizes[1]).text)["next"] == "/item/3?person=Ed"
    assert json.loads(client.vote("Ed", 3, [None] * sizes[2], skipped="language").text)["next"] == "/item/1?person=Ed"
    assert json.loads(client.vote("Ed", 1, [1] * sizes[0]).text)["next"] == "/overview?person=Ed"
    overview = client.get("/overview?person=Ed").text
    assert "3 of 3 done" in overview
    assert client.get("/?person=Ed").headers["location"] == "/overview?person=Ed"
    assert client.get("/begin?person=%C3%89lo%20%26%20co").headers["location"] == "/item/1?person=%C3%89lo%20%26%20co"


@pytest.mark.parametrize(
    ("places", "more"),
    [
        ([1, 2], {}),
        ([0, 1, 2], {}),
        ([4, 1, 2], {}),
        ([1.0, 1, 2], {}),
        ([True, 1, 2], {}),
        ([1, 2, 3], {"item": 0}),
        ([1, 2, 3], {"item": 9}),
        ([1, 2, 3], {"item": "1"}),
        ([1, 2, 3], {"mark": "0a1b2c3d"}),
        ([1, 2, 3], {"person": ""}),
        ([1, 2, 3], {"person": 3}),
        ([1, 2, 3], {"after": -1}),
        ([1, 2, 3], {"skipped": None}),
        ([1, 2, 3], {"ranks": {"translation": [1, 2, 3], "interaction": [1, 2, 3]}}),
        ([1, 2, 3], {"ranks": []}),
        ([1, 2, 3], {"skipped": "x" * 70_000}),
    ],
)
def test_ballots_that_do_not_fit_are_refused(
    client: Client, store: StudyStore, places: list[int | None], more: dict[str, object]
) -> None:
    before = len(store.ballots())
    reply = client.vote("Fay", number_of(store, "b1"), places, **more)
    assert (reply.status, json.loads(reply.text)) == (400, {"error": "This does not fit the item. Reload the page."})
    assert len(store.ballots()) == before
    assert "Fay" not in store.persons()


def test_what_is_no_ballot_is_refused(client: Client) -> None:
    origin = f"http://{client.at.netloc}"
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 50_000):
        assert client.ask("POST", "/ballot", body, Origin=origin, Content_Type="application/json").status == 400


def test_a_ballot_of_a_window_that_is_out_of_date_is_a_conflict(client: Client, store: StudyStore) -> None:
    number = number_of(store, "b1")
    first = json.loads(client.vote("Gus", number, [1, None, None], page="one").text)["number"]
    assert client.vote("Gus", number, [2, None, None], page="two", after=0).status == 409
    assert client.vote("Gus", number, [2, None, None], page="two", after=first).status == 200
    assert client.vote("Gus", number, [2, 1, None], page="two", after=0).status == 200, "an answer that never came"


def test_other_pages_cannot_vote(client: Client, store: StudyStore) -> None:
    body = json.dumps({"person": "Eve"}).encode()
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://["}):
        reply = client.ask("POST", "/ballot", body, Content_Type="application/json", **headers)
        assert reply.status == 403
    assert "Eve" not in store.persons()


def test_a_name_that_leads_here_from_elsewhere_is_not_served(client: Client) -> None:
    for host, status in (
        ("evil.example", 403),
        ("localhost:1", 200),
        ("[::1]:80", 200),
        ("127.0.0.1", 200),
        ("[", 403),
    ):
        assert client.get("/", Host=host).status == status, host


def test_pages_are_private_and_run_nothing_but_their_own(client: Client) -> None:
    for path in ("/", "/overview?person=Anna", "/item/99?person=Anna", "/nothing"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    for path in ("/static/base.html", "/static/..%2Fapp.py", "/item/99?person=Anna", "/nothing", "/item/0?person=A"):
        assert client.get(path).status == 404, path
    for path in (f"/item/{'9' * 5000}?person=A", "/item/%D9%A1?person=A", "/item/1/?person=A"):
        assert client.get(path).status == 404, path
    assert client.get("/item/1").status == 400


def test_a_reason_is_one_line_that_can_be_seen(client: Client, store: StudyStore) -> None:
    number = number_of(store, "b1")
    assert client.vote("Ina", number, [None] * 3, skipped="it is\n\x1b[2J cut\x00 \u202e\ud800").status == 200
    assert [ballot.skipped for ballot in store.ballots("Ina")] == ["it is [2J cut"]


def test_the_page_speaks_chinese() -> None:
    assert Words("zh").aspect(Aspect.TRANSLATION) == "翻译质量"
    assert Words("zh")("done_of", done=3, total=9) == "已完成 3 / 9"
    assert Words("xx").aspect(Aspect.TRANSLATION) == "Translation"


def test_the_language_is_the_readers(client: Client) -> None:
    assert '<html lang="zh">' in client.get("/", Accept_Language="zh-CN,zh;q=0.9,en;q=0.8").text
    assert preferred("fr, de;q=0.5") == "en"
    assert preferred("fr, zh-TW;q=0.5, en;q=0.1") == "zh"
    page = f"http://{client.at.netloc}/item/2?person=Anna"
    reply = client.get("/language/zh", Referer=page)
    assert reply.headers["location"] == "/item/2?person=Anna"
    assert '<html lang="zh">' in client.get("/").text
    assert client.get("/language/en", Referer=f"http://{client.at.netloc}//evil.example").headers["location"] == "/"
    assert client.get("/language/xx", Referer="http://evil.example/item/1?").headers["location"] == "/"
    assert '<html lang="en">' in client.get("/").text


def test_on_a_network_the_address_needs_its_token(store: StudyStore) -> None:
    with served(store, host="0.0.0.0") as server:
        token = store.needed().token
        assert server.address.endswith(f"/?token={token}")
        client = Client(server, store.needed().mark)
        for path in ("/", f"/?token={token[:-1]}", "/?token=%F0%9F%98%80", "/static/page.js", "/item/1?person=Anna"):
            assert client.get(path).status == 403, path
        reply = client.vote("Eve", 1, [1, 1, 1])
        assert (reply.status, "not complete" in json.loads(reply.text)["error"]) == (403, True)
        reply = client.get(f"/begin?token={token}&person=Hal")
        assert (reply.status, reply.headers["location"]) == (303, "/begin?person=Hal")
        assert "HttpOnly" in reply.headers["set-cookie"]
        assert "SameSite=lax" in reply.headers["set-cookie"]
        assert client.get("/item/1?person=Hal").status == 200


def test_a_study_that_cannot_be_written_says_so_and_no_file_name(tmp_path: Path) -> None:
    with new_store(tmp_path, ["x"], {"A": ["a"], "B": ["b"]}) as store, served(store) as server:
        client = Client(server, store.needed().mark)
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("DROP TABLE ballots")
        other.close()
        reply = client.vote("Ida", 1, [1, 2])
        assert reply.status == 507
        assert json.loads(reply.text) == {"error": "The server cannot write. Tell whoever runs it."}


def test_ports_in_use_are_passed_over_or_named() -> None:
    with listening("127.0.0.1", None) as first, listening("127.0.0.1", None) as second:
        ports = [each.getsockname()[1] for each in (first, second)]
        assert ports[0] != ports[1]
        assert ports[0] >= DEFAULT_PORT
        with pytest.raises(UsageError, match=f"The port {ports[0]} of 127.0.0.1 cannot be used: .* in use"):
            listening("127.0.0.1", ports[0])
    with pytest.raises(UsageError, match="no address of this machine"):
        listening("192.0.2.77", None)
    with pytest.raises(UsageError, match="no host"):
        listening("no-such-host.invalid", None)


def test_a_guard_without_a_token_lets_nobody_in_by_token() -> None:
    assert not Guard("").is_token("")
    assert not Guard("").wants_token
    assert Guard("t").is_token("t")


def test_two_people_vote_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    import threading

    systems = {name: [f"{name}{n}" for n in range(40)] for name in "AB"}
    with new_store(tmp_path, [str(n) for n in range(40)], systems) as store, served(store) as server:

        def work(person: str) -> None:
            client = Client(server, store.needed().mark)
            for number in range(1, 41):
                assert client.vote(person, number, [1, 2]).status == 200

        threads = [threading.Thread(target=work, args=(person,)) for person in ("Jo", "Kim", "Lu")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.ballots()) == 120
        assert isinstance(store.needed(), Study)


def test_an_idle_connection_does_not_keep_the_server_alive(store: StudyStore) -> None:
    with served(store) as server, socket.create_connection(("127.0.0.1", urlsplit(server.address).port or 0)):
        pass
