"""The freer kinds of dialogues, written and rated by a language model behind an OpenAI-compatible server.

Offline makers know only what can be derived for certain. A writer adds what needs judgement: a reference in another
style, suggestions on a draft, an explanation of its grammar. Every answer is kept as soon as it is there, so that a
run that ends early goes on where it stood and nothing is paid for twice.
"""

from bayling_finetune.dialogues.writer.client import Endpoint
from bayling_finetune.dialogues.writer.cost import Estimate, Prices, estimate
from bayling_finetune.dialogues.writer.tasks import TASKS, Task
from bayling_finetune.dialogues.writer.writing import Outcome, choose, write

__all__ = ["TASKS", "Endpoint", "Estimate", "Outcome", "Prices", "Task", "choose", "estimate", "write"]
