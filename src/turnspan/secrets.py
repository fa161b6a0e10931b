"""Keeping secrets off the screen: keys and tokens are shown by their kind only."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"""
      (?P<key>\b(?:sk|pk|rk)-(?:[A-Za-z]+-)*[A-Za-z0-9_-]{16,})               # model providers, Stripe
    | (?P<github>\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,})
    | (?P<gitlab>\bglpat-[A-Za-z0-9_-]{16,})
    | (?P<aws>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)
    | (?P<google>\bAIza[A-Za-z0-9_-]{30,})
    | (?P<slack>\bxox[abprs]-[A-Za-z0-9-]{10,})
    | (?P<jwt>\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,})
    | (?P<pem>-----BEGIN[ A-Z]*PRIVATE[ ]KEY-----.*?(?:-----END[ A-Z]*PRIVATE[ ]KEY-----|$))
    | (?P<bearer>(?<=[Bb]earer[ ])[A-Za-z0-9._~+/=-]{12,})
    | (?P<password>(?<=://)[^\s/:@"]+:[^\s/@"]+(?=@))
    | (?P<setting>(?i:(?<=password=)|(?<=passwd=)|(?<=secret=)|(?<=api_key=)|(?<=token=))[^\s"'&,;]{4,})
    """,
    re.VERBOSE | re.DOTALL,
)


def hidden(text: str) -> str:
    """Return text with its secrets replaced by what they are: ``[hidden key]``."""
    return _SECRETS.sub(lambda found: f"[hidden {found.lastgroup}]", text)
