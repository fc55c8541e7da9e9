"""Search: every operator on every type of property, words, associations, sorts, pages."""

import pytest

from tests.factories import associate, make_property, make_record, make_records, save

pytestmark = pytest.mark.django_db
SEARCH = "/crm/v3/objects/{}/search"


def found(ask, type_name: str, *filters: tuple, **more: object) -> list[str]:
    """The names (first names, deal names) of what is found, in order."""
    names = ("propertyName", "operator", "value", "highValue")
    given = [dict(zip(names, each, strict=False)) for each in filters]
    for each in given:
        if isinstance(each.get("value"), list):
            each["values"] = each.pop("value")
    answer = ask.post(SEARCH.format(type_name), {"filterGroups": [{"filters": given}], **more})
    assert answer.status_code == 200, answer.json()
    key = "firstname" if type_name == "contacts" else "dealname"
    results = answer.json()["results"]
    assert answer.json()["total"] >= len(results)
    return [each["properties"][key] for each in results]


@pytest.fixture
def people():
    make_property("contact", "hobbies", type="enumeration", field_type="checkbox", options=[
        {"value": "chess", "label": "Chess"}, {"value": "Go", "label": "Go"}])  # fmt: skip
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    return make_records(
        "contact",
        [
            {"firstname": "Ada", "city": "Boston", "email": "ada@example.com", "hobbies": "chess;Go", "vip": True},
            {"firstname": "Bob", "city": "New York City", "email": "bob@example.org", "hobbies": "Go", "vip": False},
            {"firstname": "Cem", "jobtitle": "boston"},
        ],
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([("city", "EQ", "bOsToN")], "Ada"),
        ([("city", "NEQ", "Boston")], "Bob"),
        ([("city", "IN", ["boston", "New York City"])], "Ada Bob"),
        ([("city", "NOT_IN", ["boston"])], "Bob"),
        ([("city", "HAS_PROPERTY")], "Ada Bob"),
        ([("city", "NOT_HAS_PROPERTY")], "Cem"),
        ([("city", "CONTAINS_TOKEN", "york")], "Bob"),
        ([("city", "CONTAINS_TOKEN", "yor")], ""),
        ([("city", "CONTAINS_TOKEN", "yor*")], "Bob"),
        ([("email", "CONTAINS_TOKEN", "*@example.com")], "Ada"),
        ([("city", "NOT_CONTAINS_TOKEN", "york")], "Ada"),
        ([("city", "GT", "c")], "Bob"),
        ([("city", "LTE", "boston")], "Ada"),
        ([("city", "BETWEEN", "a", "c")], "Ada"),
        ([("email", "EQ", "ADA@example.com")], "Ada"),
        ([("email", "NEQ", "ada@example.com")], "Bob"),
        ([("hobbies", "EQ", "CHESS")], "Ada"),
        ([("hobbies", "IN", ["go"])], "Ada Bob"),
        ([("vip", "EQ", "true")], "Ada"),
        ([("vip", "NEQ", True)], "Bob"),
        ([("firstname", "EQ", "Ada"), ("city", "EQ", "Boston")], "Ada"),
        ([("firstname", "EQ", "Ada"), ("city", "EQ", "Berlin")], ""),
        ([("createdate", "GTE", "0")], "Ada Bob Cem"),
        ([("lastmodifieddate", "LT", "2020-01-01T00:00:00Z")], ""),
    ],
)
def test_filters(ask, people, filters, names):
    assert found(ask, "contacts", *filters) == names.split()


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([("amount", "EQ", "5")], "five"),
        ([("amount", "EQ", 5.0)], "five"),
        ([("amount", "NEQ", "5")], "ten million"),
        ([("amount", "GT", "9")], "ten million"),
        ([("amount", "BETWEEN", "1", "10")], "five ten"),
        ([("amount", "IN", ["5", "10"])], "five ten"),
        ([("closedate", "GTE", "1767225600000")], "ten"),
        ([("closedate", "LT", "2026-01-01T00:00:00Z")], "five"),
        ([("dealstage", "EQ", "ClosedWon")], "million"),
    ],
)
def test_numbers_dates_and_options(ask, filters, names):
    save(
        "deal",
        [
            {"dealname": "five", "amount": 5, "closedate": "2025-12-31T23:59:59.999Z"},
            {"dealname": "ten", "amount": "10", "closedate": "2026-01-01T00:00:00Z"},
            {"dealname": "million", "amount": 1e6, "dealstage": "closedwon"},
        ],
    )
    expected = [name for name in ("five", "ten", "million") if name in names]
    assert found(ask, "deals", *filters) == expected


def test_a_moment_is_equal_within_its_millisecond(ask, people):
    shown = ask.get(f"/crm/v3/objects/contacts/{people[0].pk}").json()["properties"]["lastmodifieddate"]
    names = found(ask, "contacts", ("lastmodifieddate", "EQ", shown))
    assert "Ada" in names
    assert "Ada" not in found(ask, "contacts", ("lastmodifieddate", "GT", shown))
    assert found(ask, "contacts", ("hs_object_id", "IN", [str(people[1].pk)])) == ["Bob"]


def test_groups_are_joined_by_or_and_words_are_looked_for(ask, people):
    groups = [{"filters": [{"propertyName": "firstname", "operator": "EQ", "value": name}]} for name in ("Ada", "Cem")]
    answer = ask.post(SEARCH.format("contacts"), {"filterGroups": groups}).json()
    assert answer["total"] == 2
    assert ask.post(SEARCH.format("contacts"), {"query": "BOB example"}).json()["total"] == 1
    assert ask.post(SEARCH.format("contacts"), {"query": "100%"}).json()["total"] == 0
    assert ask.post(SEARCH.format("contacts"), {}).json()["total"] == 3


def test_associated_records_are_found(ask, people):
    company, other = make_record("company"), make_record("company")
    associate(people[0], company)
    associate(people[1], other)
    assert found(ask, "contacts", ("associations.company", "EQ", str(company.pk))) == ["Ada"]
    assert found(ask, "contacts", ("associations.0-2", "IN", [company.pk, other.pk])) == ["Ada", "Bob"]
    assert found(ask, "contacts", ("associations.companies", "NOT_HAS_PROPERTY")) == ["Cem"]


def test_sorts_and_pages(ask):
    save("deal", [{"dealname": f"d{amount}", "amount": amount} for amount in (10, 9, 100)] + [{"dealname": "none"}])
    body = {"sorts": [{"propertyName": "amount", "direction": "DESCENDING"}], "limit": 3, "properties": ["dealname"]}
    page = ask.post(SEARCH.format("deals"), body).json()
    assert [each["properties"]["dealname"] for each in page["results"]] == ["d100", "d10", "d9"]
    assert page["total"] == 4 and page["paging"]["next"]["after"] == "3"
    rest = ask.post(SEARCH.format("deals"), body | {"after": "3"}).json()
    assert [each["properties"]["dealname"] for each in rest["results"]] == ["none"] and "paging" not in rest
    assert found(ask, "deals", sorts=["dealname"]) == ["d10", "d100", "d9", "none"]
    assert found(ask, "deals", sorts=["-dealname"])[0] == "none"


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "9995", "limit": 10},
        {"query": "x" * 3001},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "HAS_PROPERTY"}]}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "HAS_PROPERTY"}] * 11}]},
        {"filterGroups": [{"filters": [{"propertyName": "unknown", "operator": "HAS_PROPERTY"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "LIKE", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "IN", "values": []}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "BETWEEN", "value": "a"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "GT", "value": "soon"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "GT", "value": "9" * 30}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "associations.x", "operator": "EQ", "value": "1"}]}]},
        {"sorts": ["unknown"]},
        {"sorts": [{"propertyName": "city", "direction": "UP"}]},
    ],
)
def test_a_search_that_cannot_be_is_refused(ask, body):
    answer = ask.post(SEARCH.format("contacts"), body)
    assert answer.status_code == 400 and answer.json()["category"] == "VALIDATION_ERROR"
