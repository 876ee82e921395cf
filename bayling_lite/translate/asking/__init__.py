"""Asking a model for one segment: the request, the checks' verdict, the ladder of retries."""
