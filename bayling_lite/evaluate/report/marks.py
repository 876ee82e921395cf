"""By what a written report is known to be one, so that nothing else is overwritten with a new one."""

from __future__ import annotations

GENERATOR = "bayling evaluate report"
JSON_FORMAT = "bayling-evaluation-report"

MARKS = {
    ".html": f'<meta name="generator" content="{GENERATOR}">',
    ".md": f"<!-- {GENERATOR} -->",
    ".json": f'"format": "{JSON_FORMAT}"',
}
"""By the end of a file's name, what stands in its first two thousand bytes."""
