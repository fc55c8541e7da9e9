"""A small made-up CRM with four example workflows, one per action, for the first start.

Called by the command `load_demo`. All of it goes through the services that people's own changes go through.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from associations import querysets
from associations.models import AssociationType, ObjectType, Record
from associations.services import labels, linking, schema
from associations.services.origin import Origin
from associations.services.records import RecordInput, save_records
from associations.types import DirectedType
from workflows.models import Action, EnrollmentTrigger, Workflow

ORIGIN = Origin.system("Demo data")
DESCRIPTION = "An example that came with the demo data."
COMPANIES = 40
CONTACTS = 200
DEALS = 80

_FIRST = (
    "Ada Ben Chloe Dario Elif Femi Greta Hugo Ines Jonas Kaya Liam Mara Nils Oona Pablo Rosa Sven Tara Yuki"
).split()
_LAST = "Adler Brandt Costa Dubois Eriksen Fischer Greco Haddad Ito Jansen Kaur Lopez Moreau Novak Okafor Petit".split()
_STEMS = "Alder Birch Cedar Delta Ember Falcon Granite Harbor Indigo Juniper Kestrel Lumen Maple Nimbus Onyx".split()
_TRADES = "Foods Logistics Robotics Textiles Energy Optics Media Instruments Interiors Software".split()
_CITIES = "Boston Berlin Dublin Lagos Lisbon Lyon Osaka Oslo Toronto Zurich".split()
_JOBS = ["Chief Executive Officer", "Buyer", "Engineer", "Head of Operations", "Office Manager"]


def load_demo() -> list[Workflow]:
    """Load the demo into an empty installation. The workflows are complete and still off, in the order to run them."""
    chance = random.Random(7)  # noqa: S311 - made-up data, the same every time
    contact, company, deal = (ObjectType.objects.get(name=name) for name in ("contact", "company", "deal"))
    companies = save_records(company, list(_companies(chance)), origin=ORIGIN).records
    contacts = save_records(contact, list(_contacts(chance, companies)), origin=ORIGIN).records
    deals = save_records(deal, list(_deals(chance, companies)), origin=ORIGIN).records

    schema.set_columns(contact, ["email", "firstname", "lastname", "company", "jobtitle"])
    employer = labels.create_label(contact, company, label="Employer", inverse_label="Employee")
    decider = labels.create_label(company, contact, label="Decision maker")
    evaluator = labels.create_label(deal, contact, label="Evaluator")
    user = labels.create_label(deal, contact, label="User")
    linking.associate(
        querysets.unlabeled_type(deal, contact),
        [(each.pk, chance.choice(contacts).pk) for each in deals],
        labels=[evaluator],
        origin=ORIGIN,
    )
    return _workflows(contact, company, deal, employer, decider, evaluator, user)


def _companies(chance: random.Random) -> Iterator[RecordInput]:
    names = [f"{stem} {trade}" for stem in _STEMS for trade in _TRADES]
    for name in chance.sample(names, COMPANIES):
        yield RecordInput(
            {
                "name": name,
                "domain": name.lower().replace(" ", "-") + ".example",
                "city": chance.choice(_CITIES),
                "numberofemployees": chance.randrange(5, 5_000),
            }
        )


def _contacts(chance: random.Random, companies: list[Record]) -> Iterator[RecordInput]:
    """Most name a company as people type it: in other case, with other spaces; some none, some an unknown one."""
    for number in range(CONTACTS):
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        name = chance.choice(companies).properties["name"]
        typed = chance.choice([name, name, name, name.upper(), f"  {name.lower()} ", "Freelance", None])
        yield RecordInput(
            {
                "email": f"{first}.{last}.{number}@mail.example".lower(),
                "firstname": first,
                "lastname": last,
                "company": typed,
                "jobtitle": chance.choice(_JOBS),
                "city": chance.choice(_CITIES),
            }
        )


def _deals(chance: random.Random, companies: list[Record]) -> Iterator[RecordInput]:
    stages = ["closedwon", "closedlost", "qualifiedtobuy", "contractsent"]
    for number in range(DEALS):
        yield RecordInput(
            {
                "dealname": f"{chance.choice(companies).properties['name']} {2025 + number % 2}",
                "dealstage": chance.choice(stages),
                "pipeline": "default",
                "amount": chance.randrange(1, 200) * 500,
            }
        )


def _workflows(
    contact: ObjectType,
    company: ObjectType,
    deal: ObjectType,
    employer: DirectedType,
    decider: DirectedType,
    evaluator: DirectedType,
    user: DirectedType,
) -> list[Workflow]:
    to_contact = {"to_object_type": contact.type_id}
    return [
        _workflow(
            "Associate contacts with their employer",
            contact,
            {"property": "company", "operator": "is_known"},
            "create_associations",
            {
                "to_object_type": company.type_id,
                "label": str(employer.type_id),
                "enrolled_property": "company",
                "associated_property": "name",
            },
        ),
        _workflow(
            "Label the decision makers of a company",
            company,
            {"property": "name", "operator": "is_known"},
            "apply_label",
            {
                **to_contact,
                "label": str(decider.type_id),
                "apply_to": "associated_property",
                "associated_property": "jobtitle",
                "operator": "is_equal_to",
                "value": "Chief Executive Officer",
            },
        ),
        _workflow(
            "Evaluators of a won deal become users",
            deal,
            {"property": "dealstage", "operator": "is_any_of", "values": ["closedwon"]},
            "update_labels",
            {
                **to_contact,
                "existing_label": str(evaluator.type_id),
                "mode": "replace",
                "new_label": str(user.type_id),
            },
        ),
        _workflow(
            "Nobody evaluates a lost deal",
            deal,
            {"property": "dealstage", "operator": "is_any_of", "values": ["closedlost"]},
            "remove_labels",
            {**to_contact, "labels": [str(evaluator.type_id)]},
        ),
    ]


def _workflow(
    name: str, object_type: ObjectType, trigger: dict[str, object], kind: str, fields: dict[str, object]
) -> Workflow:
    workflow = Workflow.objects.create(
        name=name, description=DESCRIPTION, object_type=object_type, should_re_enroll=True
    )
    EnrollmentTrigger.objects.create(workflow=workflow, kind=EnrollmentTrigger.Kind.PROPERTY, fields=trigger)
    Action.objects.create(workflow=workflow, kind=kind, fields=fields)
    return workflow


def is_empty() -> bool:
    """Whether nobody has put anything in yet: no record, no label of their own, no workflow."""
    return not (
        Record.objects.exists()
        or Workflow.objects.exists()
        or AssociationType.objects.filter(category=AssociationType.Category.USER_DEFINED).exclude(name="").exists()
    )


def left_off() -> list[Workflow]:
    """The demo's workflows that a start that was cut off has not turned on yet, in the order to run them."""
    return list(Workflow.objects.filter(description=DESCRIPTION, revision=None).order_by("id"))
