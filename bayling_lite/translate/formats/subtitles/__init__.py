"""Subtitles: SubRip, WebVTT and ASS."""
