"""Which columns of a weight matter: measured on calibration text, kept in files that llama.cpp shares."""
