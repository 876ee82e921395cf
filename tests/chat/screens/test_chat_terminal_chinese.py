"""A session in Chinese in a real terminal."""

from __future__ import annotations

from tests.chat.tmux import DRIVES_A_TERMINAL, MAKE_TERMINAL, conversation, start

pytestmark = DRIVES_A_TERMINAL


def test_everything_is_said_in_chinese(make_terminal: MAKE_TERMINAL) -> None:
    answers = ["标记丢失了。", "词元丢失了。", "词元遗失了。"]
    terminal = start(make_terminal(BAYLING_LANG="zh"), to="zh", prompt="zh>", responses=answers)
    terminal.line("The token is lost.")
    terminal.wait_for(answers[0], "\nzh>")
    terminal.line("/use 词元=token")
    terminal.wait_for(answers[1])
    terminal.line("更正式一点")
    terminal.wait_for(answers[2], lambda screen: screen.count("\nzh>") == 3)
    terminal.line("/undo")
    terminal.wait_for("草稿恢复为：", lambda screen: screen.count("\nzh>") == 4)
    terminal.line("/nudo")
    terminal.wait_for(lambda screen: screen.count("\nzh>") == 5)
    assert conversation(terminal) == (
        "zh> The token is lost.\n"
        "→ zh\n"
        "标记丢失了。\n"
        "zh> /use 词元=token\n"
        "从现在起：token → 词元。用 /unuse token 停用。\n"
        "已要求 scripted 使用这些术语，但无法强制；缺少的会另行提示。\n"
        "↻ 修改 zh · 请改正“token”，应为“词元”。\n"
        "词元丢失了。\n"
        "zh> 更正式一点\n"
        "↻ 修改 zh · 若是要翻译的原文，按 Tab\n"
        "词元遗失了。\n"
        "zh> /undo\n"
        "已撤销：更正式一点\n"
        "草稿恢复为：词元丢失了。\n"
        "zh> /nudo\n"
        "错误：没有命令 /nudo。是不是要用 /undo？/help 列出所有命令；以斜杠开头的文字请写成 //。\n"
        "zh>"
    )
    assert terminal.screen().splitlines()[-1].startswith(" scripted · 自动 → zh · ")
    assert " 词元 · " in terminal.screen().splitlines()[-1]
