"""When are two property values equal? Four ways to compare, each as a digest that equals for equal values.

Pure functions, called by services.records (unique values) and services.match_keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import phonenumbers
from django.conf import settings

from .models.records import KEY_BYTES, MatchIndex

# A scheme without slashes is only that of e-mail: "example.com:8080" is a host and its port.
_SCHEME_AND_USER = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|//|mailto:)?(?:[^/@?#]*@)?")
NAME_LENGTH = 100  # characters; more does not fit a B-tree
_HOST = re.compile(r"^[\w-]+(\.[\w-]+)+$")


def normalized(value: str) -> str:
    """Unicode NFKC, trimmed, inner white space folded, case folded."""
    # Folding can leave a form that composes anew (İ, ß), hence the second normalization.
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return " ".join(text.split())


def name_key(value: object) -> bytes:
    """What a record's name is searched and sorted by: the beginning of the normalized text, as bytes."""
    return normalized(str(value))[:NAME_LENGTH].encode() if value is not None else b""


def exact(value: str) -> str:
    return value


@lru_cache(maxsize=100_000)
def phone(value: str) -> str:
    """E.164 of a possible phone number, read in the region of settings.PHONE_REGION; otherwise no value.

    Zeros that a country does not have in front of a number can be left out; what is left is the number once nothing
    more can be. Of nothing but zeros, which people write for "none", no number is left.
    """
    try:
        number = phonenumbers.parse(value, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not number.national_number or not phonenumbers.is_possible_number(number):
        return ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return phone(written) if number.italian_leading_zero and written != value else written


def domain(value: str) -> str:
    """The host of an e-mail address or URL without "www."; otherwise no value."""
    text = _SCHEME_AND_USER.sub("", normalized(value), count=1)
    host = re.split(r"[/?#:]", text, maxsplit=1)[0].rstrip(".")
    if not _HOST.match(host):
        return ""
    short = host.removeprefix("www.")
    return short if "." in short else host  # www.com is a company of its own


COMPARISONS: dict[str, Callable[[str], str]] = {
    MatchIndex.Comparison.NORMALIZED: normalized,
    MatchIndex.Comparison.EXACT: exact,
    MatchIndex.Comparison.PHONE: phone,
    MatchIndex.Comparison.DOMAIN: domain,
}


def match_key(value: object, comparison: str) -> bytes | None:
    """The digest of a value compared this way; None where the comparison sees no value in it.

    Numbers, dates and booleans are compared by their one written form.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        value = str(value).lower()
    text = COMPARISONS[comparison](str(value))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest() if text else None


@dataclass(frozen=True)
class Compared:
    """Two values compared in one of the ways: what each is read as ("" for no value), and whether they match."""

    comparison: str
    label: str
    one: str
    other: str

    @property
    def is_equal(self) -> bool:
        return bool(self.one) and self.one == self.other


def compare(one: str, other: str) -> list[Compared]:
    """Two values compared in all the ways there are. They are kept trimmed, as every value of a record is."""
    return [
        Compared(way, MatchIndex.Comparison(way).label, read(one.strip()), read(other.strip()))
        for way, read in COMPARISONS.items()
    ]
