"""``bayling evaluate bayling80`` as a user types it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import SetResult
from tests.conftest import MAKE_MODEL
from tests.evaluate.bayling80.judge_server import Failure, judge_server
from tests.evaluate.bayling80.small_set import CHINESE, ENGLISH, answer_rows, shown_to, write_lines, write_questions

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def bayling80(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling evaluate bayling80``, the data in ``public``: exit status, lines of output, standard error."""
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "public")
    for name, questions in (("en", ENGLISH), ("zh", CHINESE)):
        path = tmp_path / "public" / "exp" / "two-7b" / f"res.bayling-80.multiturn.{name}.jsonl"
        write_lines(path, answer_rows(questions, "theirs"))

    def call(*arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as exited:
            main(["evaluate", "bayling80", "--data", "public", *arguments])
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out.splitlines(), shown.err

    return call


@pytest.fixture(scope="module")
def good(make_model: MAKE_MODEL) -> Path:
    """Answers ``good`` to everything."""
    return make_model(chain=("<0x0A>", "▁good", "</s>"))


@pytest.fixture(scope="module")
def judge_model(make_model: MAKE_MODEL) -> Path:
    """Answers ``8 9`` to everything that ends with a line break, which is every prompt."""
    return make_model(chain=("<0x0A>", "8", "<0x20>", "9", "</s>"))


def results() -> dict[str, SetResult]:
    return {f"{each.set_name} {each.against}".strip(): each for each in ResultsFolder(Path("evaluation")).read()}


def liking_good(prompt: str, _body: object) -> str:
    """The first assistant's place, who says ``good`` wherever it stands."""
    said = [text for who, text in shown_to(prompt) if who.startswith(("assistant 1", "助手1"))]
    return "[[9]] [[6]]" if said[0] == "good" else "[[6]] [[9]]"


def test_a_model_answers_all_sets(bayling80: Run, good: Path) -> None:
    status, lines, said = bayling80("--model", str(good), "--greedy", "--name", "mine")
    assert status == 0, said
    assert [line.split()[0] for line in lines] == ["singleturn.en", "singleturn.zh", "multiturn.en", "multiturn.zh"]
    assert {output.said for output in results()["multiturn.zh"].outputs} == {(" good", " good")}


def test_a_server_compares_the_answers_with_published_ones(bayling80: Run, good: Path) -> None:
    with judge_server(liking_good) as server:
        arguments = ("--model", str(good), "--greedy", "--name", "mine", "--against", "two-7b", "--judge", server.url)
        status, lines, said = bayling80(*arguments)
        assert status == 0, said
        assert len(server.asked) == 24
        again = bayling80(*arguments)
        assert (again[:2], len(server.asked)) == ((status, lines), 24)
    assert "mine against two-7b: win 12  tie 0  lose 0  ratio 150.00 %" in lines
    rows = [line.split() for line in lines[-4:]]
    assert rows[0] == ["CATEGORY", "mine", "two-7b", "RATIO", "%"]
    assert rows[1:] == [[name, "9.00", "6.00", "150.00"] for name in ("generic", "coding", "math")]
    compared = results()["multiturn.zh two-7b"]
    assert compared.outputs[0].details["against"] == ["theirs 1.1", "theirs 1.2"]
    assert compared.score("position consistency") is not None


def test_answers_of_two_files_are_compared_without_a_model(bayling80: Run, tmp_path: Path) -> None:
    mine = write_lines(tmp_path / "mine.jsonl", answer_rows(say="good"))
    with judge_server(lambda _prompt, _body: "[[7]] [[7]]") as server:
        status, lines, said = bayling80(
            *("multiturn.en", "--answers", str(mine), "--against", "public/exp/two-7b", "--judge", server.url),
            *("--limit", "2"),
        )
    assert status == 0, said
    assert "mine against two-7b: win 0  tie 2  lose 0  ratio 100.00 %" in lines
    assert not results()["multiturn.en two-7b"].whole


def test_a_gguf_judges_what_is_in_the_results_folder(bayling80: Run, good: Path, judge_model: Path) -> None:
    for name in ("one", "two"):
        assert bayling80("singleturn.en", "--model", str(good), "--greedy", "--name", name)[0] == 0
    status, lines, said = bayling80(
        "--answers", "one", "--against", "two", "--judge", str(judge_model), "--ctx", "4096", "-q"
    )
    assert status == 0, said
    assert "one against two: win 0  tie 3  lose 0  ratio 100.00 %" in lines


def test_a_judge_without_scores_is_told_of(bayling80: Run) -> None:
    arguments = ("singleturn.en", "--answers", "two-7b", "--name", "again", "--against", "two-7b", "--judge")
    with judge_server(lambda _prompt, _body: "I would rather not.") as server:
        status, _, said = bayling80(*arguments, server.url)
    assert (status, "No question was judged" in said, "6 had no two scores" in said) == (1, True, True)
    assert results()["singleturn.en two-7b"].problems == 3

    def choosy(prompt: str, _body: object) -> Failure | str:
        if ENGLISH[0].turns[0] in prompt:
            return Failure(400, "maximum context length is 100 tokens, you requested 200 tokens")
        return "[[5]] [[4]]"

    with judge_server(choosy) as server:
        status, lines, said = bayling80(*arguments, server.url)
    assert (status, "again against two-7b: win 0  tie 2  lose 0  ratio 100.00 %" in lines) == (0, True)
    assert "1 of 3 questions are unjudged (2 did not fit its context)" in " ".join(said.split())


def test_a_judge_that_is_not_there_keeps_the_answers(bayling80: Run, good: Path) -> None:
    with judge_server(lambda _prompt, _body: Failure(401)) as server:
        status, _, said = bayling80(
            *("singleturn.en", "--model", str(good), "--greedy", "--against", "two-7b", "--judge", server.url)
        )
    assert (status, "BAYLING_SERVER_KEY" in said) == (1, True)
    assert "singleturn.en" in results()


def test_a_server_of_several_models_is_asked_for_one_of_them(bayling80: Run) -> None:
    arguments = ("singleturn.en", "--answers", "two-7b", "--name", "again", "--against", "two-7b", "--judge")
    with judge_server(lambda _prompt, body: f"[[{len(body['model'])}]] [[1]]", ("one", "three")) as server:
        status, _, said = bayling80(*arguments, server.url)
        assert (status, "--judge-model" in said, "--server-model" in said) == (2, True, False)
        status, lines, _ = bayling80(*arguments, server.url, "--judge-model", "three")
    assert (status, lines[-1].split()) == (0, ["math", "3.00", "3.00", "100.00"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--judge", "http://127.0.0.1:1/v1"], "give --judge and --against"),
        (["--against", "two-7b"], "give --judge and --against"),
        (["--answers", "two-7b"], "--judge and --against"),
        (["--against", "two-7b", "--judge", "x.gguf", "--judge-model", "m"], "--judge-model names a model"),
        (["--against", "three", "--judge", "x.gguf"], "There are answers of: two-7b"),
        (["--server", "http://h", "--against", "two-7b", "--judge", "http://["], "A server's address should look like"),
        (["--answers", "two-7b", "--estimate"], "--judge and --against"),
        (["--against", "public", "--judge", "x.gguf"], None),
        (["multiturn.fr", "--against", "two-7b", "--judge", "x.gguf"], "multiturn.fr"),
    ],
)
def test_slips_are_told_before_anything_is_computed(
    bayling80: Run, arguments: list[str], said: str | None, tmp_path: Path
) -> None:
    if said is None:
        write_lines(tmp_path / "public" / "exp" / "four" / "res.bayling-80.multiturn.en.jsonl", answer_rows())
        said = "answers of several systems: "
    status, _, error = bayling80("--model", "missing.gguf", *arguments)
    assert (status, said in " ".join(error.split())) == (2, True), error
    assert not (tmp_path / "evaluation").exists()


def test_a_file_of_another_set_is_refused(bayling80: Run) -> None:
    status, _, said = bayling80(
        *("multiturn.zh", "--against", "public/exp/two-7b/res.bayling-80.multiturn.en.jsonl", "--judge", "x.gguf")
    )
    assert (status, "does not hold answers to multiturn.zh" in said) == (1, True)


def test_the_user_is_told_beforehand_how_much_is_asked_and_afterwards_how_fast_it_was(bayling80: Run) -> None:
    # Of other answers: of two that are alike, both orders are the same request, which need not be made twice.
    write_lines(Path("public", "exp", "one-7b", "res.bayling-80.multiturn.en.jsonl"), answer_rows(say="ours"))
    arguments = ("singleturn.en", "--answers", "one-7b", "--name", "again", "--against", "two-7b", "--judge")
    with judge_server(lambda _prompt, _body: "[[7]] [[7]]") as server:
        status, lines, said = bayling80(*arguments, server.url, "--judge-tokens", "100", "--estimate")
        assert (status, lines, server.asked) == (0, [], [])
        assert re.fullmatch(
            r"The judge, judge, is to be asked 6 times: prompts of about [1-9],\d{3} tokens in all, replies of at most "
            r"600\.\n",
            said,
        )
        assert not Path("evaluation", "again").exists()
        status, _, said = bayling80(*arguments, server.url, "--judge-tokens", "100")
        assert (status, "  6 answers in " in said, len(server.asked)) == (0, True, 6)
        _, _, said = bayling80(*arguments, server.url, "--judge-tokens", "100")
        assert "is to be asked 0 times. 6 replies are here from before." in said
        assert bayling80(*arguments, server.url, "--judge-tokens", "100", "-q")[2] == ""
        assert len(server.asked) == 6
    kept = results()["singleturn.en two-7b"]
    assert kept.judging is not None
    assert kept.judging.effort is not None
    # Of the judging in which it was asked, not of the last one, in which it was not.
    assert (kept.judging.model, kept.judging.effort.n_asked, kept.judging.device) == (
        "judge",
        6,
        f"server 127.0.0.1:{server.port}",
    )


def test_another_judge_takes_the_place_of_the_one_before_which_is_told(bayling80: Run) -> None:
    arguments = ("singleturn.en", "--answers", "two-7b", "--name", "again", "--against", "two-7b", "--judge")
    with judge_server(lambda _prompt, body: f"[[{len(body['model'])}]] [[1]]", ("one", "three")) as server:
        assert bayling80(*arguments, server.url, "--judge-model", "one")[0] == 0
        status, _, said = bayling80(*arguments, server.url, "--judge-model", "three")
    assert (status, "held what another judge, one, had said" in said) == (0, True)
    compared = results()["singleturn.en two-7b"]
    assert {tuple(order["scores"]) for output in compared.outputs for order in output.details["orders"]} == {
        (5, 1),
        (1, 5),
    }


def test_the_judge_is_looked_for_before_anything_is_answered(bayling80: Run, good: Path) -> None:
    with judge_server(lambda _prompt, _body: "") as server:
        gone = server.url
    arguments = ("singleturn.en", "--model", str(good), "--against", "two-7b", "--judge")
    status, lines, said = bayling80(*arguments, gone)
    assert (status, lines, "cannot be reached" in said) == (1, [], True)
    status, lines, said = bayling80(*arguments, "missing.gguf")
    assert (status, lines, "There is no file missing.gguf" in said) == (4, [], True)
    assert not Path("evaluation").exists()


def test_the_key_of_the_measured_server_is_not_shown_to_the_judges(
    bayling80: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAYLING_SERVER_KEY", "ours")
    with (
        judge_server(lambda _prompt, _body: "fine", ("mine",)) as measured,
        judge_server(lambda _prompt, _body: "[[7]] [[7]]") as judge,
    ):
        arguments = ("singleturn.en", "--server", measured.url, "--against", "two-7b", "--judge", judge.url)
        assert bayling80(*arguments, "--limit", "1")[0] == 0
        assert (measured.keys, judge.keys) == ({"ours"}, {""})
        monkeypatch.setenv("BAYLING_JUDGE_KEY", "theirs")
        judge.keys.clear()
        assert bayling80(*arguments)[0] == 0
        assert (measured.keys, judge.keys) == ({"ours"}, {"theirs"})
        # With no other server in play, the one key is the judge's.
        monkeypatch.delenv("BAYLING_JUDGE_KEY")
        judge.keys.clear()
        given = ("singleturn.en", "--answers", "mine", "--against", "two-7b", "--judge", judge.url)
        assert (bayling80(*given)[0], judge.keys) == (0, {"ours"})


def test_a_judge_that_takes_no_greedy_decoding_is_told_how_it_can_be_asked(bayling80: Run) -> None:
    def picky(_prompt: str, body: dict[str, object]) -> str | Failure:
        refused = "Unsupported value: 'temperature' does not support 0 with this model."
        return "[[7]] [[7]]" if body["temperature"] == 1 else Failure(400, refused)

    arguments = ("singleturn.en", "--answers", "two-7b", "--name", "again", "--against", "two-7b", "--judge")
    with judge_server(picky) as server:
        status, _, said = bayling80(*arguments, server.url)
        assert (status, "--judge-temperature 1" in said) == (1, True), said
        assert bayling80(*arguments, server.url, "--judge-temperature", "1")[0] == 0
    assert "|temperature:1|" in results()["singleturn.en two-7b"].scores[0].signature


def test_a_model_that_judges_itself_is_warned_of(bayling80: Run, good: Path, judge_model: Path) -> None:
    for name, model in (("one", judge_model), ("two", good)):
        assert bayling80("singleturn.en", "--model", str(model), "--greedy", "--name", name)[0] == 0
    judge = ("--against", "two", "--judge", str(judge_model), "--ctx", "4096")
    assert "judges its own answers" in " ".join(bayling80("singleturn.en", "--answers", "one", *judge)[2].split())


def test_evaluate_all_has_the_answers_judged(bayling80: Run, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as exited:
            main(["evaluate", "all", "--data", "public", "--model", str(good), "--name", "mine", *arguments])
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out.splitlines(), shown.err

    with judge_server(liking_good) as server:
        judge = ("--against", "two-7b", "--judge", server.url)
        status, lines, said = call("bayling80", "--greedy", *judge)
        assert status == 0, said
        assert "mine against two-7b: win 12  tie 0  lose 0  ratio 150.00 %" in lines
        # As the command for these questions alone has it: nothing is asked anew.
        again = bayling80("--model", str(good), "--name", "mine", "--greedy", *judge)
        assert (again[0], len(server.asked)) == (0, 24)
        assert [line for line in lines if " against " in line] == [line for line in again[1] if " against " in line]
    assert {name for name in results() if name.endswith("two-7b")} == {
        f"{kind}turn.{language} two-7b" for kind in ("single", "multi") for language in ("en", "zh")
    }
    status, lines, said = call("bayling80", "--against", "two-7b")
    assert (status, "give --judge and --against" in said) == (2, True)
