"""What a line or a command will do, decided before anything is asked. Nothing here changes the session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayling_lite.chat.session.branch import Branch, last_draft
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.turns import Kind, Length, Plan
from bayling_lite.errors import UsageError
from bayling_lite.localization import _, interface_language
from bayling_lite.prompts import Wording, explanation_question, longer_instruction, shorter_instruction

# Reading a line knows many patterns, and the prompt is there before they are needed.
if TYPE_CHECKING:
    from bayling_lite.chat.reading.draft import Draft
    from bayling_lite.chat.reading.feedback import Reading, Rule
    from bayling_lite.translate import Translation


class Planning:
    """The part of a session that plans. Plans of a draft raise UsageError where there is none."""

    _preferences: Preferences
    _branch: Branch

    def plan(self, line: str) -> Plan:
        """What a plain line will do."""
        target = self._preferences.target
        if target is None:
            return Plan(Kind.CHAT, line, line)
        from bayling_lite.chat.reading.feedback import read_line

        draft = self._branch.draft
        # A draft in another language than the one asked for now is not what the next line is about.
        if draft is None or draft.target != target:
            return self._plan_translation(line, read_line(line, None).rule)
        reading = read_line(line, self._readable(draft))
        if reading.feedback:
            return self._plan_reading(line, reading, draft)
        return self._plan_translation(line, reading.rule)

    def plan_new(self, text: str = "") -> Plan:
        """Translate a text, whatever it looks like; without one, the last line that was taken for feedback.

        Raises:
            UsageError: no target language, or no such line.
        """
        if self._preferences.target is None:
            raise no_target()
        from bayling_lite.chat.reading.feedback import Rule

        if text:
            return self._plan_translation(text, Rule.FORCED)
        last = self._branch.last
        if last is None or last.plan.kind is not Kind.REFINEMENT or last.plan.rule is None:
            raise UsageError(_("/new needs a text, unless the last line was taken for feedback."))
        return replace(self._plan_translation(last.plan.typed, Rule.FORCED), replaces=True)

    def plan_refinement(self, text: str = "") -> Plan:
        """Take a line for feedback, whatever it looks like; without one, the last line that was taken for a text.

        Raises:
            UsageError: no draft, or no such line.
        """
        from bayling_lite.chat.reading.feedback import forced_feedback

        last = self._branch.last
        before = self._branch.draft if text else last_draft(self._branch.turns[:-1])
        if before is None:
            raise no_draft()
        if text:
            return self._plan_reading(text, forced_feedback(text, self._readable(before)), before)
        if last is None or last.plan.kind is not Kind.TRANSLATION:
            raise UsageError(_("/refine needs a text, unless the last line was taken for a new text."))
        reading = forced_feedback(last.plan.typed, self._readable(before))
        return replace(self._plan_reading(last.plan.typed, reading, before), replaces=True)

    def plan_again(self) -> Plan:
        """Answer the last turn again, differently.

        Raises:
            UsageError: there is no turn, or it is the user's own text.
        """
        last = self._branch.last
        if last is None:
            raise UsageError(_("There is no answer to make again yet."))
        if last.plan.kind is Kind.EDIT:
            raise UsageError(
                _("The last draft is your own text: there is no answer to make again. /undo takes it back.")
            )
        return replace(last.plan, replaces=True, varied=True, replaced="")

    def plan_shorter(self) -> Plan:
        """A draft that is shorter."""
        return self._plan_command("/shorter", shorter_instruction(wording=Wording(interface_language())), "shorter")

    def plan_longer(self) -> Plan:
        """A draft that is longer."""
        return self._plan_command("/longer", longer_instruction(wording=Wording(interface_language())), "longer")

    def plan_style(self, instruction: str) -> Plan:
        """A refinement that a command asks for, in these words."""
        return self._plan_command(instruction, instruction)

    def plan_edit(self, text: str) -> Plan:
        """The user's own draft.

        Raises:
            UsageError: it is empty, or what there is.
        """
        draft = self._known_draft()
        if not text.strip():
            raise UsageError(_("The draft cannot be empty: type its text after /edit."))
        if text.strip() == draft.text.strip():
            raise UsageError(_("That is the draft as it is: nothing was changed."))
        return Plan(Kind.EDIT, text, text, None, draft.target, draft.source)

    def plan_back(self) -> Plan:
        """The draft in the language of its text, beside the conversation.

        Raises:
            UsageError: that is the draft's own language, or is not known.
        """
        draft = self._known_draft()
        if draft.source is None or draft.source == draft.target:
            raise UsageError(_("The draft has no other language to be translated back into."))
        return Plan(Kind.BACK, "/back", draft.text, None, draft.source, draft.target)

    def plan_explanation(self, question: str = "") -> Plan:
        """The answer to a question about the draft, beside the conversation; without one, why it is as it is."""
        draft = self._known_draft()
        asked = explanation_question(question, wording=Wording(interface_language()))
        return Plan(Kind.EXPLANATION, f"/explain {question}".rstrip(), asked, None, draft.target, draft.source)

    def other_reading(self) -> Plan | None:
        """The last turn, had its line been read the other way; None where it could not."""
        last = self._branch.last
        if last is None or last.plan.rule is None:
            return None
        try:
            if last.plan.kind is Kind.REFINEMENT:
                return self.plan_new()
            plan = self.plan_refinement() if last.plan.kind is Kind.TRANSLATION else None
        except UsageError:  # no draft that it could be about, or no language to translate into any more
            return None
        return plan if plan is not None and plan.target == last.plan.target else None

    # Details.

    def _known_draft(self) -> Translation:
        draft = self._branch.draft
        if draft is None:
            raise no_draft()
        return draft

    def _readable(self, draft: Translation) -> Draft:
        from bayling_lite.chat.reading.draft import Draft

        return Draft.of(draft, source_fixed=self._preferences.source is not None)

    def _plan_translation(self, text: str, rule: Rule) -> Plan:
        return Plan(Kind.TRANSLATION, text, text, rule, self._preferences.target, self._preferences.source)

    def _plan_reading(self, line: str, reading: Reading, draft: Translation) -> Plan:
        sent, rule, required = reading.instruction, reading.rule, reading.required
        return Plan(Kind.REFINEMENT, line, sent, rule, draft.target, self._preferences.source, required=required)

    def _plan_command(self, typed: str, instruction: str, length: Length = "") -> Plan:
        draft = self._known_draft()
        if not instruction.strip():
            raise UsageError(_("Say what to change: the instruction is empty."))
        source = self._preferences.source
        return Plan(Kind.REFINEMENT, typed, instruction, None, draft.target, source, length=length)


def no_target() -> UsageError:
    """There is nothing to translate into."""
    return UsageError(_("There is no language to translate into yet: /to LANG sets it, for example /to zh."))


def no_draft() -> UsageError:
    """There is nothing to refine."""
    return UsageError(_("There is no draft to refine yet: translate something first."))
