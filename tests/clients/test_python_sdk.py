"""HubSpot's own client for Python (hubspot-api-client): every family of endpoints that it has for the CRM."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations import ApiException as AssociationsV3Error
from hubspot.crm.associations.v4 import models as v4
from hubspot.crm.associations.v4.exceptions import ApiException as AssociationsError
from hubspot.crm.associations.v4.schema import models as labels
from hubspot.crm.contacts.exceptions import ApiException
from hubspot.crm.objects import models as objects
from hubspot.crm.properties import models as properties
from hubspot.crm.schemas import models as schemas
from hubspot.crm.schemas.exceptions import ApiException as SchemasError

from tests.factories import make_record

from .conftest import Site

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:hubspot"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:urllib3"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def crm(site: Site) -> Any:
    return HubSpot(access_token=site.token, host=site.url, base_url=site.url).crm


def given(**values: str) -> objects.SimplePublicObjectInputForCreate:
    return objects.SimplePublicObjectInputForCreate(properties=values, associations=[])


@pytest.mark.parametrize(
    ("family", "name"),
    [("contacts", "firstname"), ("companies", "name"), ("deals", "dealname"), ("tickets", "subject")],
)
def test_records_of_each_family(crm: Any, family: str, name: str):
    api = getattr(crm, family)
    made = api.basic_api.create(given(**{name: "first"}))
    assert made.properties[name] == "first" and made.created_at.tzinfo is not None and made.archived is False
    read = api.basic_api.get_by_id(made.id, properties=[name], associations=["companies"], archived=False)
    assert read.id == made.id and read.associations is None
    changed = api.basic_api.update(made.id, objects.SimplePublicObjectInput(properties={name: "second"}))
    assert changed.properties[name] == "second"
    other = api.basic_api.create(given(**{name: "other"}))
    page = api.basic_api.get_page(limit=1, properties=[name])
    assert page.results[0].id == made.id and page.paging.next.after == made.id
    assert [each.id for each in api.get_all()] == [made.id, other.id]
    merged = api.basic_api.merge(objects_merge(family)(primary_object_id=made.id, object_id_to_merge=other.id))
    assert merged.id == made.id
    assert api.basic_api.archive(made.id) is None
    with pytest.raises(Exception) as error:
        api.basic_api.get_by_id(made.id)
    assert error.value.status == 404 and "resource not found" in error.value.body  # type: ignore[attr-defined]


def objects_merge(family: str) -> Any:
    return __import__(f"hubspot.crm.{family}", fromlist=["PublicMergeInput"]).PublicMergeInput


def test_batches_of_records(crm: Any):
    api = crm.objects.batch_api
    inputs = [
        objects.SimplePublicObjectBatchInputForCreate(properties={"email": f"c{n}@example.com"}, associations=[])
        for n in range(3)
    ]
    made = api.create("contacts", objects.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs))
    assert made.status == "COMPLETE" and len(made.results) == 3 and made.completed_at >= made.started_at
    ids = [objects.SimplePublicObjectId(id=each.id) for each in made.results]
    read = api.read(
        "contacts",
        objects.BatchReadInputSimplePublicObjectId(
            inputs=[*ids, objects.SimplePublicObjectId(id="999")],
            properties=["email"],
            properties_with_history=["email"],
        ),
    )
    assert type(read).__name__ == "BatchResponseSimplePublicObjectWithErrors" and read.num_errors == 1
    assert read.errors[0].category == "OBJECT_NOT_FOUND" and read.errors[0].context == {"ids": ["999"]}
    assert read.results[0].properties_with_history["email"][0].source_type == "INTEGRATION"
    change = [objects.SimplePublicObjectBatchInput(id=each.id, properties={"city": "Bern"}) for each in ids]
    changed = api.update("contacts", objects.BatchInputSimplePublicObjectBatchInput(inputs=change))
    assert {each.properties["city"] for each in changed.results} == {"Bern"}
    upserted = api.upsert(
        "contacts",
        objects.BatchInputSimplePublicObjectBatchInputUpsert(
            inputs=[
                objects.SimplePublicObjectBatchInputUpsert(id=email, id_property="email", properties={"city": "Bonn"})
                for email in ("c0@example.com", "new@example.com")
            ]
        ),
    )
    assert [each.new for each in upserted.results] == [False, True]
    assert api.archive("contacts", objects.BatchInputSimplePublicObjectId(inputs=ids)) is None
    assert [each.id for each in crm.objects.get_all("contacts")] == [upserted.results[1].id]


def test_search(crm: Any):
    for name in ("Ada", "Bob", "Cem"):
        make_record("contact", firstname=name, email=f"{name}@example.com")
    found = crm.contacts.search_api.do_search(
        {
            "filterGroups": [
                {"filters": [{"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "*@example.com"}]}
            ],
            "sorts": [{"propertyName": "firstname", "direction": "DESCENDING"}],
            "properties": ["firstname"],
            "limit": 2,
            "after": "0",
        }
    )
    assert found.total == 3 and [each.properties["firstname"] for each in found.results] == ["Cem", "Bob"]
    assert found.paging.next.after == "2"


def test_errors_are_the_clients_own(crm: Any):
    make_record("contact", email="ada@example.com")
    with pytest.raises(ApiException) as error:
        crm.contacts.basic_api.create(given(email="ada@example.com"))
    assert error.value.status == 409 and "Existing ID: " in error.value.body
    with pytest.raises(ApiException) as error:
        crm.contacts.basic_api.create(given(unknown="x"))
    assert error.value.status == 400 and "PROPERTY_DOESNT_EXIST" in error.value.body


def test_properties_and_their_groups(crm: Any):
    api = crm.properties
    group = api.groups_api.create("contacts", properties.PropertyGroupCreate(name="mine", label="Mine"))
    assert (group.name, group.archived) == ("mine", False)
    create = properties.PropertyCreate(
        name="hobby", label="Hobby", type="enumeration", field_type="select", group_name="mine",
        options=[properties.OptionInput(label="Chess", value="chess", display_order=0, hidden=False)],
    )  # fmt: skip
    made = api.core_api.create("contacts", create)
    assert made.options[0].value == "chess" and made.group_name == "mine" and made.hubspot_defined is False
    changed = api.core_api.update("contacts", "hobby", properties.PropertyUpdate(label="Hobbies"))
    assert changed.label == "Hobbies"
    assert {"hobby", "email"} <= {each.name for each in api.core_api.get_all("contacts").results}
    names = [properties.PropertyName(name=name) for name in ("hobby", "unknown")]
    read = api.batch_api.read("contacts", {"inputs": names, "archived": False, "dataSensitivity": "non_sensitive"})
    assert read.num_errors == 1 and read.results[0].name == "hobby"
    assert api.core_api.archive("contacts", "hobby") is None
    batch = properties.BatchInputPropertyCreate(inputs=[create])
    assert len(api.batch_api.create("contacts", batch).results) == 1
    assert api.batch_api.archive("contacts", properties.BatchInputPropertyName(inputs=names)) is None
    assert api.groups_api.update("contacts", "mine", properties.PropertyGroupUpdate(label="Ours")).label == "Ours"
    assert api.groups_api.get_by_name("contacts", "mine").label == "Ours"
    assert "mine" in {each.name for each in api.groups_api.get_all("contacts").results}
    assert api.groups_api.archive("contacts", "mine") is None


def test_object_types_of_ones_own(crm: Any):
    egg = schemas.ObjectSchemaEgg(
        name="pet",
        labels=schemas.ObjectTypeDefinitionLabels(singular="Pet", plural="Pets"),
        primary_display_property="pet_name",
        required_properties=["pet_name"],
        properties=[schemas.ObjectTypePropertyCreate(name="pet_name", label="Name", type="string", field_type="text")],
        associated_objects=["CONTACT"],
    )
    made = crm.schemas.core_api.create(egg)
    assert made.fully_qualified_name == "p1_pet" and made.object_type_id == "2-1"
    assert {"0-1", "2-1"} <= {each.to_object_type_id for each in made.associations}
    pet = crm.objects.basic_api.create(made.fully_qualified_name, given(pet_name="Rex"))
    assert [each.name for each in crm.schemas.core_api.get_all().results] == ["pet"]
    labels = schemas.ObjectTypeDefinitionLabels(singular="Animal", plural="Animals")
    changed = crm.schemas.core_api.update("pet", schemas.ObjectTypeDefinitionPatch(labels=labels))
    assert changed.labels.singular == "Animal"
    definition = schemas.AssociationDefinitionEgg(from_object_type_id="2-1", to_object_type_id="0-1", name="pet_owner")
    association = crm.schemas.core_api.create_association("pet", definition)
    assert crm.schemas.core_api.archive_association("pet", association.id) is None
    with pytest.raises(SchemasError) as error:
        crm.schemas.core_api.archive("pet")
    assert error.value.status == 400
    crm.objects.basic_api.archive("pet", pet.id)
    assert crm.schemas.core_api.archive("pet") is None


def test_associations(crm: Any):
    contact, company, second = (make_record(name) for name in ("contact", "company", "company"))
    ada, alder, beech = (str(each.pk) for each in (contact, company, second))
    api = crm.associations.v4.basic_api
    default = api.create_default("contacts", ada, "companies", alder)
    assert [each.association_spec.association_type_id for each in default.results] == [279, 280]
    label = crm.associations.v4.schema.definitions_api.create(
        "contacts", "companies", labels.PublicAssociationDefinitionCreateRequest(label="Boss", name="boss")
    ).results[0]
    spec = v4.AssociationSpec(association_category=label.category, association_type_id=label.type_id)
    labelled = api.create("contacts", ada, "companies", alder, [spec])
    assert labelled.labels == ["Boss"] and labelled.to_object_id == alder
    page = api.get_page("contacts", ada, "companies", limit=500)
    assert page.results[0].to_object_id == alder and page.paging is None
    assert {each.label for each in page.results[0].association_types} == {None, "Primary", "Boss"}
    batch = crm.associations.v4.batch_api
    pair = {"_from": v4.PublicObjectId(id=ada), "to": v4.PublicObjectId(id=beech)}
    post = v4.BatchInputPublicAssociationMultiPost(inputs=[v4.PublicAssociationMultiPost(**pair, types=[spec])])
    assert batch.create("contacts", "companies", post).results[0].labels == ["Boss"]
    assert batch.create_default(
        "contacts",
        "companies",
        v4.BatchInputPublicDefaultAssociationMultiPost(inputs=[v4.PublicDefaultAssociationMultiPost(**pair)]),
    ).results
    fetch = [v4.PublicFetchAssociationsBatchRequest(id=each) for each in (ada, "999")]
    read = batch.get_page("contacts", "companies", v4.BatchInputPublicFetchAssociationsBatchRequest(inputs=fetch))
    assert len(read.results[0].to) == 2 and read.num_errors == 1
    assert read.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert batch.archive_labels("contacts", "companies", post) is None
    archive = v4.PublicAssociationMultiArchive(_from=pair["_from"], to=[pair["to"]])
    assert batch.archive("contacts", "companies", v4.BatchInputPublicAssociationMultiArchive(inputs=[archive])) is None
    assert api.archive("contacts", ada, "companies", alder) is None
    assert api.get_page("contacts", ada, "companies").results == []
    with pytest.raises(AssociationsError) as error:
        api.create_default("contacts", ada, "companies", "999")
    assert error.value.status == 400 and "INVALID_OBJECT_IDS" in error.value.body


def test_labels_and_limits(crm: Any, admin_user: Any):
    api = crm.associations.v4.schema
    made = api.definitions_api.create(
        "deals",
        "companies",
        labels.PublicAssociationDefinitionCreateRequest(label="Manager", inverse_label="Report", name="manager"),
    )
    assert [each.label for each in made.results] == ["Manager", "Report"]
    type_id = made.results[0].type_id
    update = labels.PublicAssociationDefinitionUpdateRequest(label="Boss", association_type_id=type_id)
    assert api.definitions_api.update("deals", "companies", update) is None
    assert "Boss" in {each.label for each in api.definitions_api.get_all("deals", "companies").results}
    limits = api.definition_configurations_api
    config = {"category": "USER_DEFINED", "typeId": type_id}
    inputs = {"inputs": [config | {"maxToObjectIds": 2}]}
    assert limits.batch_create("deals", "companies", inputs).results[0].user_enforced_max_to_object_ids == 2
    assert limits.batch_update("deals", "companies", inputs).results[0].type_id == type_id
    assert limits.get_all_between_two_object_types("deals", "companies").results[0].label == "Boss"
    assert len(limits.get_all().results) == 1
    assert limits.batch_remove("deals", "companies", {"inputs": [config]}) is None
    assert api.definitions_api.remove("deals", "companies", type_id) is None
    report = crm.associations.v4.report_api.request(admin_user.pk)
    assert report.user_id == admin_user.pk


def test_associations_by_the_older_addresses(crm: Any):
    from hubspot.crm.associations import models as v3

    contact, company = make_record("contact"), make_record("company")
    ends = {"_from": v3.PublicObjectId(id=str(contact.pk)), "to": v3.PublicObjectId(id=str(company.pk))}
    post = v3.BatchInputPublicAssociation(inputs=[v3.PublicAssociation(**ends, type="contact_to_company")])
    assert crm.associations.batch_api.create("contacts", "companies", post).results[0].type == "contact_to_company"
    read = crm.associations.batch_api.read("contacts", "companies", {"inputs": [{"id": str(contact.pk)}]})
    assert read.results[0].to[0].id == str(company.pk)
    assert crm.associations.schema.types_api.get_all("contacts", "companies").results
    assert crm.associations.batch_api.archive("contacts", "companies", post) is None
    with pytest.raises(AssociationsV3Error):
        post.inputs[0].type = "nonsense"
        crm.associations.batch_api.create("contacts", "companies", post)


def test_a_token_that_is_none(site: Site):
    crm: Any = HubSpot(access_token="pat-na1-none", host=site.url, base_url=site.url).crm
    with pytest.raises(ApiException) as error:
        crm.contacts.basic_api.get_page()
    assert error.value.status == 401 and "INVALID_AUTHENTICATION" in error.value.body


def test_other_requests_through_the_client(site: Site):
    client: Any = HubSpot(access_token=site.token, host=site.url, base_url=site.url)
    answer = client.api_request({"path": "/crm/v3/limits/associations/labels", "method": "GET"})
    assert answer.status_code == 200 and answer.json()["results"]
