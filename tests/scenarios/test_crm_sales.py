"""Operations on real data: 85 accounts, 8,800 opportunities and 35 agents with their managers, through the
commands, the queue and a real worker."""

from __future__ import annotations

from pathlib import Path
from subprocess import Popen

import pytest

from associations.models import Association, AssociationChange, AssociationEnd, Record
from tests.factories import make_label, object_type, unlabeled
from workflows.models import ActionOutcome

from .crm_sales import enroll, import_all, needs_data, only, rows, turn_on

pytestmark = [needs_data, pytest.mark.slow, pytest.mark.xdist_group("crm-sales")]

CHILD_TO_PARENT, PARENT_TO_CHILD = 14, 13


@pytest.fixture
def crm(transactional_db: None, worker: Popen[bytes], tmp_path: Path) -> None:
    import_all(tmp_path)


def everything() -> tuple[set[tuple[int, int, int]], int]:
    return set(Association.objects.values_list("source", "type", "target")), AssociationChange.objects.count()


def named(type_name: str, property_name: str) -> dict[int, str]:
    return {
        record.pk: record.properties.get(property_name, "")
        for record in Record.objects.filter(object_type=object_type(type_name))
    }


@pytest.mark.usefixtures("crm")
def test_deals_find_their_company_and_labels_follow_them() -> None:
    deals = rows("sales_pipeline.csv")
    with_account = [row for row in deals if row["account"]]
    won = [row for row in with_account if row["deal_stage"] == "Won"]
    country_of = {row["account"]: row["office_location"] for row in rows("accounts.csv")}
    abroad = [row for row in with_account if country_of[row["account"]] != "United States"]
    assert (len(with_account), len(deals) - len(with_account)) == (7_375, 1_425)

    # Create: account name = company name.
    create = turn_on("Deals to companies", "deal", "create_associations", to_object_type="0-2",
                     enrolled_property="account_name", associated_property="name")  # fmt: skip
    assert enroll(create) == only(created=7_375, no_value=1_425)
    names, accounts = named("company", "name"), named("deal", "account_name")
    ends = AssociationEnd.objects.filter(type_id=unlabeled("deal", "company").type_id)
    assert all(names[other] == accounts[deal] for deal, other in ends.values_list("record", "other"))
    looked_for = dict(ActionOutcome.objects.filter(outcome="created").values_list("record", "value"))
    assert looked_for == {deal: account for deal, account in accounts.items() if account}
    before = everything()
    assert enroll(create) == only(already_there=7_375, no_value=1_425)
    assert everything() == before, "doing it twice changed something"

    # Apply: a label to the companies of won deals, another to those of companies abroad.
    customer = make_label("deal", "company", "Customer")
    export = make_label("deal", "company", "Export")
    final = make_label("deal", "company", "Final customer")
    apply_won = turn_on("Won deals make customers", "deal", "apply_label", to_object_type="0-2",
                        label=str(customer.type_id), apply_to="enrolled_property", enrolled_property="stage",
                        operator="is_equal_to", value="Won")  # fmt: skip
    assert enroll(apply_won) == only(
        label_added=len(won),
        condition_not_met=len(with_account) - len(won),
        not_associated=len(deals) - len(with_account),
    )
    apply_abroad = turn_on("Companies abroad", "deal", "apply_label", to_object_type="0-2", label=str(export.type_id),
                           apply_to="associated_property", associated_property="country",
                           operator="is_not_equal_to", value="United States")  # fmt: skip
    assert enroll(apply_abroad) == only(
        label_added=len(abroad),
        condition_not_met=len(with_account) - len(abroad),
        not_associated=len(deals) - len(with_account),
    )

    # Update: append, then replace.
    fields = {"to_object_type": "0-2", "existing_label": str(customer.type_id), "new_label": str(final.type_id)}
    append = turn_on("Customers are final", "deal", "update_labels", mode="append", **fields)
    rest = len(deals) - len(won)
    assert enroll(append) == only(label_added=len(won), not_associated=rest)
    assert count(customer.type_id) == count(final.type_id) == len(won)
    replace = turn_on("Only final customers", "deal", "update_labels", mode="replace", **fields)
    assert enroll(replace) == only(already_there=len(won), label_removed=len(won), not_associated=rest)
    assert (count(customer.type_id), count(final.type_id)) == (0, len(won))

    # Remove: labels only, then with the associations.
    labels_only = turn_on("No export", "deal", "remove_labels", to_object_type="0-2", labels=[str(export.type_id)])
    assert enroll(labels_only) == only(label_removed=len(abroad), not_associated=len(deals) - len(abroad))
    assert count(unlabeled("deal", "company").type_id) == len(with_account)
    whole = turn_on("Forget final customers", "deal", "remove_labels", to_object_type="0-2",
                    labels=[str(final.type_id)], remove_associations=True)  # fmt: skip
    assert enroll(whole) == only(association_removed=len(won), not_associated=rest)
    assert count(unlabeled("deal", "company").type_id) == len(with_account) - len(won)

    before = everything()
    for workflow in (append, replace, labels_only, whole):
        assert enroll(workflow) == only(not_associated=len(deals))
    assert everything() == before, "doing it twice changed something"


@pytest.mark.usefixtures("crm")
def test_subsidiaries_find_their_parent_company() -> None:
    accounts = rows("accounts.csv")
    parent_of = {row["account"]: row["subsidiary_of"] for row in accounts if row["subsidiary_of"]}
    country_of = {row["account"]: row["office_location"] for row in accounts}
    assert len(parent_of) == 15

    create = turn_on("Subsidiaries", "company", "create_associations", to_object_type="0-2",
                     label=str(CHILD_TO_PARENT), enrolled_property="subsidiary_of",
                     associated_property="name")  # fmt: skip
    assert enroll(create) == only(created=15, no_value=70)
    names = named("company", "name")
    for type_id, expected in (
        (CHILD_TO_PARENT, set(parent_of.items())),
        (PARENT_TO_CHILD, {(parent, child) for child, parent in parent_of.items()}),
    ):
        ends = AssociationEnd.objects.filter(type_id=type_id).values_list("record", "other")
        assert {(names[record], names[other]) for record, other in ends} == expected

    # The same country on both sides: a single label, read the same way from either company.
    alike = sum(country_of[child] == country_of[parent] for child, parent in parent_of.items())
    neighbour = make_label("company", "company", "Same country")
    apply = turn_on("Neighbours", "company", "apply_label", to_object_type="0-2", label=str(neighbour.type_id),
                    apply_to="matching_property", enrolled_property="country",
                    associated_property="country")  # fmt: skip
    assert enroll(apply).get("label_added", 0) == alike
    assert count(neighbour.type_id) == 2 * alike

    before = everything()
    assert enroll(create) == only(already_there=15, no_value=70)
    assert "label_added" not in enroll(apply)
    assert everything() == before, "doing it twice changed something"


@pytest.mark.usefixtures("crm")
def test_agents_find_their_manager() -> None:
    manager_of = {row["sales_agent"]: row["manager"] for row in rows("sales_teams.csv")}
    managers = set(manager_of.values())
    manager = make_label("contact", "contact", "Manager", "Direct report")
    create = turn_on("Agents to managers", "contact", "create_associations", to_object_type="0-1",
                     label=str(manager.type_id), enrolled_property="manager_name",
                     associated_property="full_name")  # fmt: skip
    assert enroll(create) == only(created=35, no_value=len(managers))
    names = named("contact", "full_name")
    ends = AssociationEnd.objects.filter(type_id=manager.type_id).values_list("record", "other")
    assert {(names[record], names[other]) for record, other in ends} == set(manager_of.items())
    reports = AssociationEnd.objects.filter(type_id=manager.reverse.type_id).values_list("record", "other")
    assert {(names[other], names[record]) for record, other in reports} == set(manager_of.items())

    before = everything()
    assert enroll(create) == only(already_there=35, no_value=len(managers))
    assert everything() == before, "doing it twice changed something"


def count(type_id: int) -> int:
    return AssociationEnd.objects.filter(type_id=type_id).count()
