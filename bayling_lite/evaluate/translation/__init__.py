"""Translation: sources in, hypotheses out, compared with references by BLEU, chrF++ and, as an option, COMET."""
