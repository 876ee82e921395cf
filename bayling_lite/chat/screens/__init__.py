"""Where a chat shows itself: a terminal, plain text for pipes and screen readers, JSON for programs."""
