"""The commands `import_flows` and `export_flows`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_label
from tests.workflows.flows.hubspot import DELAY, all_of, any_of, apply, asks, create, flow, list_based
from workflows.models import Workflow

pytestmark = pytest.mark.django_db


def run(command, *args):
    out, err = StringIO(), StringIO()
    call_command(command, *args, stdout=out, stderr=err)
    return out.getvalue()


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "flows.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_what_could_not_be_taken_over_is_listed_line_by_line(file):
    criteria = list_based(
        all_of(any_of("city", "a"), asks("hs_lead_status", "ENUMERATION", "IS_ANY_OF", values=["NEW"]))
    )
    sent = flow(DELAY, create(), apply("44"), name="From HubSpot", enrollmentCriteria=criteria, isEnabled=True)
    told = run("import_flows", file([sent, flow(name="Empty")])).splitlines()
    assert "From HubSpot: made, workflow" in told[0] and told[0].endswith(", off")
    assert [line.split(": ")[0:2] for line in told[1:4]] == [
        ["  not taken over", "enrollmentCriteria, group 1"],
        ["  not taken over", "actions[0]"],
        ["  not taken over", "actions[2]"],
    ]
    assert "no property 'hs_lead_status'" in told[1] and "Delay (0-1)" in told[2] and "44 is no label" in told[3]
    assert told[4].endswith("off") and len(told) == 5


def test_export_and_import_make_the_same_workflows(file, tmp_path):
    label = make_label("contact", "company", "Local")
    run(
        "import_flows",
        file({"results": [flow(create(), apply(label), name="Ä/1", isEnabled=True), flow(name="2")]}),
        "--turn-on",
    )
    exported = run("export_flows")
    assert [each["isEnabled"] for each in json.loads(exported)] == [True, False]
    assert "revisionId" not in exported and "createdAt" not in exported
    folder = tmp_path / "out"
    names = [line.rpartition("-")[2] for line in run("export_flows", "--folder", str(folder)).splitlines()]
    assert names == ["a1.json", "2.json"]
    Workflow.objects.get(name="2").delete()
    changed = json.loads(exported)
    changed[0]["actions"] = changed[0]["actions"][1:]
    changed[0]["startActionId"] = "2"
    told = run("import_flows", file(changed), "--replace", "--turn-on")
    assert "Ä/1: replaced" in told and "2: made" in told
    [first, second] = json.loads(run("export_flows", "Ä/1", "2"))
    assert first == changed[0] and second == changed[1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Invalid input JSON"),
        ("[1]", "flow 1: not imported"),
        ([flow(type_id="2-99")], "no object type 2-99"),
        ([flow(name="A"), flow(name="A")], "Choose another name. Or say --replace."),
    ],
)
def test_what_cannot_be_imported_is_told_and_the_rest_is_made(file, content, reason, capsys):
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as error:
        call_command("import_flows", file(content), stdout=out, stderr=err)
    assert reason in err.getvalue() + str(error.value)


def test_a_workflow_or_file_that_is_not_there(tmp_path):
    for word in ("Nobody", "²"):
        with pytest.raises(CommandError, match=r"no workflow .* There are: none"):
            run("export_flows", word)
    with pytest.raises(CommandError, match="cannot be read"):
        run("import_flows", str(tmp_path / "none.json"))
