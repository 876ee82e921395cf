"""Sessions on disk: every turn as it happens, found again, exported."""
