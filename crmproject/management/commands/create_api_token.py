"""`create_api_token`: a new API token, printed once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crmproject.api.scopes import SCOPES
from crmproject.api.tokens import create_token


class Command(BaseCommand):
    help = "Create an API token and print it, alone on the last line. It is kept hashed and shown never again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what will use it")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            metavar="SCOPE",
            help="what it may do, in HubSpot's names (crm.objects.contacts.read, automation, …); repeatable, or all",
        )
        parser.add_argument("--days", type=int, help="how long it is good; without: until it is revoked")
        parser.add_argument("--rate-limit", type=int, help="requests in 10 seconds; without: API_RATE_LIMIT")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = SCOPES if "all" in options["scope"] else options["scope"]
        days, rate_limit = options["days"], options["rate_limit"]
        if (days is not None and not 1 <= days <= 36_500) or (rate_limit is not None and rate_limit < 1):
            raise CommandError("--days and --rate-limit should be numbers above 0.")
        if not 1 <= len(options["name"]) <= 100:
            raise CommandError("The name should have 1 to 100 characters.")
        expires_at = timezone.now() + dt.timedelta(days=days) if days else None
        try:
            token, secret = create_token(options["name"], scopes, expires_at=expires_at, rate_limit=rate_limit)
        except ValueError as error:
            raise CommandError(f"{error} There are: all, {', '.join(SCOPES)}.") from None
        if options["verbosity"]:
            self.stdout.write(f"{token.name} may: {', '.join(token.scopes)}")
        self.stdout.write(secret)
