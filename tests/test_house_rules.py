"""The rules of the house that a machine can read (ARCHITECTURE.md says why they are)."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from .processes import manage

pytestmark = pytest.mark.once

ROOT: Path = settings.BASE_DIR
PRODUCT = ("crmproject", "associations", "workflows")
LONGEST_FILE = 300

# Who may import whom: only one's own layer and those below it. What is not named here (errors, types, ...) is words
# and rules without a database write, at the bottom.
LAYERS = {
    "models": 0,
    "sql": 0,
    "querysets": 1,
    "criteria": 1,
    "triggers": 1,
    "services": 2,
    "actions": 2,
    "flows": 2,
    "sentences": 2,
    "admin": 3,
    "api": 3,
    "jobs": 3,
    "views": 3,
    "cron": 3,
    "templatetags": 3,
    "management": 3,
    "apps": 3,
}
KNOWS_THE_QUEUE = {
    "crmproject.admin.queue",
    "crmproject.queues",
    "crmproject.workers",
    "crmproject.management.commands.rqcron",
    "workflows.cron",
}


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    package: bool

    @property
    def app(self) -> str:
        return self.name.partition(".")[0]

    @property
    def tree(self) -> ast.Module:
        return parsed(self.path)

    def imports(self) -> Iterator[str]:
        """Full names of what the module imports when it runs; `from a import b` counts as `a.b`."""
        for node in statements_that_run(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = ".".join(filter(None, [self.above(node.level), node.module]))
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def above(self, level: int) -> str:
        """The package that so many dots at the beginning of an import mean."""
        parts = self.name.split(".")
        return ".".join(parts[: len(parts) - level + self.package]) if level else ""


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def statements_that_run(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below `if TYPE_CHECKING:`, which bind no module to another."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from statements_that_run(child)


def modules() -> list[Module]:
    """Every module of the product but the migrations, which are history."""
    found = []
    for path in sorted(path for app in PRODUCT for path in (ROOT / app).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in parts:
            package = parts[-1] == "__init__"
            found.append(Module(".".join(parts[:-1] if package else parts), path, package))
    return found


def layer(name: str) -> int:
    return LAYERS.get(name.partition(".")[2].partition(".")[0], 0)


def is_in(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_the_apps_know_each_other_in_one_direction():
    """crmproject.queues and crmproject.api <- associations <- workflows; the rest of crmproject binds them together."""
    shared = ("crmproject.queues", "crmproject.api")
    allowed = {"associations": (*shared, "associations"), "workflows": (*shared, "associations", "workflows")}
    wrong = [
        f"{module.name} imports {name}"
        for module in modules()
        for name in module.imports()
        if is_in(name, *PRODUCT) and not is_in(name, *allowed.get(module.app, ("crmproject",)))
        if module.name != "crmproject.urls"
    ]
    assert wrong == []


def test_no_module_imports_from_a_layer_above_its_own():
    """models, sql <- querysets <- services <- admin, api, jobs, commands; across the apps as well."""
    wrong = [
        f"{module.name} imports {name}"
        for module in modules()
        for name in module.imports()
        if module.app != "crmproject" and is_in(name, "associations", "workflows") and layer(name) > layer(module.name)
    ]
    assert wrong == []


def test_one_place_knows_the_queue():
    wrong = {
        module.name
        for module in modules()
        for name in module.imports()
        if is_in(name, "rq", "django_rq") and module.name not in KNOWS_THE_QUEUE
    }
    assert wrong == set()


def test_raw_statements_stand_in_sql_only():
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "cursor"
        if not is_in(module.name, "associations.sql", "workflows.sql", "crmproject.sql")
    ]
    assert wrong == []


def test_there_are_no_signals():
    """Bulk operations would go round them."""
    wrong = [
        f"{module.name} imports {name}"
        for module in modules()
        for name in module.imports()
        if is_in(name, "django.db.models.signals", "django.dispatch")
    ]
    assert wrong == []


def test_no_model_changes_what_saving_means():
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if layer(module.name) == 0
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete"}
    ]
    assert wrong == []


def test_files_stay_readable():
    long = {module.name: lines for module in modules() if (lines := module.path.read_text().count("\n")) > LONGEST_FILE}
    assert long == {}


def test_every_module_says_what_it_is_for():
    """But for those that only gather names."""
    silent = [
        module.name
        for module in modules()
        if ast.get_docstring(module.tree) is None
        and module.path.name != "apps.py"
        and not all(isinstance(node, ast.ImportFrom | ast.Assign) for node in module.tree.body)
    ]
    assert silent == []


def test_the_migrations_are_up_to_date(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_a_production_installation_gives_no_warning():
    key = "".join(map(chr, range(48, 122)))
    checked = manage("check", "--deploy", "--fail-level", "WARNING", HTTPS="yes", SECRET_KEY=key)
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout + checked.stderr
