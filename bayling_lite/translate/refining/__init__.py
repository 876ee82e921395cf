"""A draft changed as the user says: which parts of it are asked for, which words they must have, what is kept."""
