"""Interactive translation: required phrases, and drafts refined turn by turn as the user says."""
