"""What follows from a record by looking at it alone: why a step was taken, and in what two runs differ.

``provenance`` says which model call asked for a step and where the values that it was given were said before;
``comparison`` aligns the steps of two sessions, or two turns. Both read text and shape, ask no model, and say what they
do not claim. ``steps`` has what both call a step, ``leaves`` JSON as paths and values, ``messages`` the shapes in which
clients write what models say, ``quoting`` finds one text in others, ``alignment`` lays two lists side by side.

Private: what users import is in ``turnspan`` and its public modules.
"""
