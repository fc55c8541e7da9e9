"""When two values are equal: each way of comparing by a table of cases and by what must hold for any text."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from associations.comparison import COMPARISONS, domain, exact, match_key, normalized, phone
from associations.models import MatchIndex
from associations.models.records import KEY_BYTES

pytestmark = pytest.mark.once

Way = MatchIndex.Comparison
TEXT = st.text(max_size=40)


@pytest.mark.parametrize(
    "variants",
    [
        ("Boston", "boston", "BOSTON", " Boston ", "\tBoston\n"),
        ("New  York", "new york", "NEW\tYORK", "New\u00a0York", "New\u2003York", "New\r\nYork"),
        ("Straße", "STRASSE", "strasse", "Stra\u1e9ee"),
        ("Café", "Cafe\u0301", "CAFÉ", "CAFE\u0301"),
        ("Ａｃｍｅ　１２３", "Acme 123"),  # full width
        ("ﬁnance", "finance", "FINANCE"),  # a ligature
        ("ΟΔΥΣΣΕΥΣ", "Οδυσσευς", "οδυσσευσ"),  # the final sigma
        ("№ 5", "No 5"),
        ("İzmir", "i\u0307zmir"),
        ("株式会社", "㍿"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),  # composed and by its letters
    ],
)
def test_normalized_sees_the_same_text_in(variants: tuple[str, ...]) -> None:
    assert len({match_key(each, Way.NORMALIZED) for each in variants}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Boston", "Bos ton"), ("Café", "Cafe"), ("Acme", "Acme Inc."), ("a-b", "a b"), ("İ", "I"), ("1", "1.0")],
)
def test_normalized_keeps_apart(one: str, other: str) -> None:
    assert match_key(one, Way.NORMALIZED) != match_key(other, Way.NORMALIZED)


def test_exact_keeps_case_space_and_width_apart() -> None:
    variants = ["Acme", "acme", "Acme ", "Ａcme", "Acm\u00e9", "Acme\u0301"]
    assert len({match_key(each, Way.EXACT) for each in variants}) == len(variants)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("+1 617 555 0123", "+16175550123"),
        ("(617) 555-0123", "+16175550123"),
        ("617.555.0123", "+16175550123"),
        ("1-617-555-0123", "+16175550123"),
        ("011 49 30 901820", "+4930901820"),
        ("+49 (0)30 901820", "+4930901820"),
        ("+49 30 901820", "+4930901820"),
        ("tel:+1-617-555-0123", "+16175550123"),
        ("+1 617 555 0123 ext. 9", "+16175550123"),
        ("＋１ ６１７ ５５５ ０１２３", "+16175550123"),
        ("ask Ann", ""),
        ("12", ""),
        ("+999 1234567", ""),
        ("000-000-0000", ""),
        ("+39 06 698 12345", "+390669812345"),
        ("+20 000 000 0000", ""),
        ("", ""),
    ],
)
def test_phone_numbers_are_read_as_e164(value: str, number: str) -> None:
    assert phone(value) == number


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("acme.com", "acme.com"),
        ("ACME.com", "acme.com"),
        ("www.acme.com", "acme.com"),
        ("acme.com.", "acme.com"),
        ("ann@acme.com", "acme.com"),
        ("Ann.Lee+crm@Mail.Acme.com", "mail.acme.com"),
        ("mailto:ann@acme.com?subject=a@b.org", "acme.com"),
        ("http://acme.com", "acme.com"),
        ("https://www.acme.com/a/path?query=1#part", "acme.com"),
        ("https://ann:secret@acme.com:8443/", "acme.com"),
        ("//acme.com/a", "acme.com"),
        ("acme.com:8080", "acme.com"),
        ("acme.com:8080/a", "acme.com"),
        ("acme.com/contact?to=ann@other.org", "acme.com"),
        ("acme.com?to=ann@other.org", "acme.com"),
        ("acme.com#ann@other.org", "acme.com"),
        ("https://acme.com/@ann", "acme.com"),
        ("www.com", "www.com"),
        ("bücher.example", "bücher.example"),
        ("ａｃｍｅ．com", "acme.com"),
        ("acme", ""),
        ("http://localhost:8000", ""),
        ("Acme Inc.", ""),
        ("ann@", ""),
        ("@", ""),
        ("", ""),
    ],
)
def test_domain_is_the_host_of_an_address(value: str, host: str) -> None:
    assert domain(value) == host


def test_what_is_no_number_or_host_has_no_key_and_so_matches_nothing() -> None:
    assert match_key("ask Ann", Way.PHONE) is None
    assert match_key("Acme Inc.", Way.DOMAIN) is None


@pytest.mark.parametrize("way", COMPARISONS)
@pytest.mark.parametrize("value", [None, ""])
def test_no_value_has_no_key(way: str, value: str | None) -> None:
    assert match_key(value, way) is None


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (1.5, "1.5"), (True, "true"), (False, "false")])
def test_numbers_and_booleans_are_compared_by_their_one_written_form(value: object, text: str) -> None:
    assert match_key(value, Way.NORMALIZED) == match_key(text, Way.NORMALIZED) != match_key(None, Way.NORMALIZED)


def test_a_key_is_of_fixed_width_however_long_the_text() -> None:
    assert len(match_key("a" * 100_000, Way.NORMALIZED) or b"") == KEY_BYTES


def test_every_comparison_of_the_model_can_be_computed() -> None:
    assert set(COMPARISONS) == set(Way.values)


# For any text -----------------------------------------------------------------------------------


@given(TEXT)
@example("\u0345\u0301")
@example("ǰ\u0323")
@example("¨ a")
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    once = normalized(text)
    assert normalized(once) == once


@given(TEXT, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_any_unicode_form_of_a_text_is_the_same_text(text: str, form: Any) -> None:
    assert normalized(unicodedata.normalize(form, text)) == normalized(text)


@given(TEXT)
def test_case_folding_changes_nothing(text: str) -> None:
    assert normalized(text.casefold()) == normalized(text)


@given(st.text("abcxyzäöüßéñøλωжя", max_size=20))
def test_upper_and_lower_case_are_the_same_text(text: str) -> None:
    assert normalized(text.upper()) == normalized(text.lower()) == normalized(text)


@given(st.lists(st.text("ab\u00e4", min_size=1), min_size=1), st.data())
def test_any_white_space_between_words_is_one_space(parts: list[str], data: st.DataObject) -> None:
    space = st.text(" \t\n\u00a0\u2003\u3000", min_size=1, max_size=3)
    spread = data.draw(space) + "".join(part + data.draw(space) for part in parts)
    assert normalized(spread) == " ".join(parts)


@given(TEXT, TEXT)
def test_keys_are_equal_exactly_when_the_texts_are(one: str, other: str) -> None:
    same = normalized(one) == normalized(other)
    if normalized(one) or normalized(other):
        assert (match_key(one, Way.NORMALIZED) == match_key(other, Way.NORMALIZED)) == same
    assert (exact(one) == exact(other)) == (one == other)


@given(st.from_regex(r"\+?[0-9 ()./-]{0,20}", fullmatch=True))
@example("+200000000000")
@example("+4900 706645")
def test_a_phone_number_read_again_is_itself(text: str) -> None:
    assert phone(phone(text)) == phone(text)


@given(TEXT)
def test_a_domain_read_again_is_itself(text: str) -> None:
    assert domain(domain(text)) == domain(text)


HOST = st.from_regex(r"[a-z]{1,5}(\.[a-z]{2,5}){1,2}", fullmatch=True).filter(lambda host: not host.startswith("www."))


@given(
    host=HOST,
    before=st.sampled_from(["", "http://", "https://www.", "www.", "ann@", "mailto:ann@", "//", "ftp://ann:pw@"]),
    after=st.sampled_from(["", "/", ".", ":80", "/a@b.org", "?to=a@b.org", "#a", " "]),
)
def test_a_host_is_found_in_any_address(host: str, before: str, after: str) -> None:
    assert domain(before + host.upper() + after) == host
