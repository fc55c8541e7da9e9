"""The OpenAPI document and its page."""

import pytest

from tests.processes import manage

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_the_document_is_valid_and_gives_no_warning(tmp_path):
    path = tmp_path / "schema.yaml"
    made = manage("spectacular", "--validate", "--fail-on-warn", "--file", str(path))
    assert made.returncode == 0, made.stderr
    assert "openapi: 3.1.0" in path.read_text()


def test_it_tells_of_each_endpoint_once(client):
    document = client.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    assert {"/crm/v3/objects/{objectType}", "/crm/associations/v4/{fromObjectType}/{toObjectType}/labels"} <= set(
        document["paths"]
    )
    assert not [path for path in document["paths"] if "{version}" in path]
    create = document["paths"]["/crm/v3/objects/{objectType}"]["post"]
    assert {"201", "400", "401", "409", "429"} <= create["responses"].keys()
    assert create["security"] == [{"token": []}, {"session": []}]


def test_the_page_is_made_of_local_files_without_inline_scripts(client):
    page = client.get("/api/docs/").content.decode()
    assert "<script>" not in page and "<style>" not in page and "://" not in page
