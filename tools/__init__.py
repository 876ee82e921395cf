"""What the project makes of itself: catalogues of messages, pictures and transcripts for the documentation."""
