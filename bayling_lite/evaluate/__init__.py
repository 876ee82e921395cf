"""Measuring a model on the four kinds of tasks of the BayLing paper (arXiv 2306.10968), or scoring outputs of others.

The way of the data::

    --data ──► a family's test set ──► scripts ──► answers ──► outputs ──► scores ──► results folder ──► report
               (data.py, families)     (values.py) (generating, kept        (each     (results.py)       (report/)
                                                    in the answer store)     family)

A *family* is one kind of tasks: its sets, how they are asked and how they are scored. What it makes of one set and one
system is a :class:`~bayling_lite.evaluate.values.SetResult`, which a results folder keeps as one JSON file; outputs
made elsewhere become the same by being scored. The report is made of the results folder alone.
"""
