"""Secrets in text: found by their format, their name or their place, in one pass over JSON.

``formats`` and ``words`` are data: what keys look like, what secrets are called. ``names``, ``headers``, ``places`` and ``numbers``
look at the places where one may be, ``values`` says whether it can be one, ``marks`` finds the places, and ``scan`` is the whole.
"""
