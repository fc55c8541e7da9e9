"""Check that the stored data is as it must be."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from associations.services import checking

from ._plain import plain_errors


class Command(BaseCommand):
    help = "Check every rule that records and associations must keep, a line each. Exit status 1 if one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        with plain_errors():
            for finding in checking.check_all():
                self.stdout.write(_line(finding))
                broken += bool(finding.count) and not finding.is_warning
        if broken:
            raise CommandError(f"{broken} of the rules are broken.", returncode=1)


def _line(finding: checking.Finding) -> str:
    verdict = "ok" if not finding.count else "warning" if finding.is_warning else "BROKEN"
    examples = f" Such as: {', '.join(finding.examples)}." if finding.examples else ""
    return f"{verdict:<8}{finding.count:>8,}  {finding.rule}{examples}"
