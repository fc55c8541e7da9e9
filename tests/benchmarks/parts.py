"""The names that `--only` takes: parts, and groups of them."""

# Nothing is imported here: it is read before there are settings.

GROUPS = {
    "backfills": (
        "growth", "backfill", "no-op", "undo", "one worker", "apply", "update", "remove", "pages", "preview", "load",
        "filters", "why",
    ),
    "floors": ("empty job", "empty view"),
    "changes": ("existing base", "one change", "throughput", "batches"),
}  # fmt: skip


def chosen(only: list[str]) -> list[str]:
    """The parts of these names, in their order; all if there is none."""
    return [part for name, group in GROUPS.items() for part in group if not only or {part, name} & set(only)]
