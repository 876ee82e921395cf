"""Exams of the AGIEval collection (arXiv 2304.06364): the Chinese GaoKao, and SAT, LSAT, GRE/GMAT and civil service.

The BayLing paper (arXiv 2306.10968) asks them zero-shot and finds the answer in what is said by rules of its own;
both are kept here, so that its numbers come out of its outputs.
"""
