"""BayLing-80: 80 questions in English and in Chinese, with one turn and with several, whose answers a judge compares.

::

    questions.py ──► family.py (answers, published files) ──► judging.py (a judge's replies) ──► summary.py
                                                              judge_prompt.py, replies.py

Two systems' answers to a set become a :class:`~bayling_lite.evaluate.values.SetResult` with ``against``; what is in it
says :mod:`~bayling_lite.evaluate.bayling80.verdicts`.
"""
