"""Keep in sync: find the enrolled records whose associations may no longer be what an action would make today.

Asked of the claimed change sets, for live workflows with an action that keeps in sync and for no others. Those records
are gone through once more, by a run that does these actions only; what an action then takes back and associates is
its own business (actions.create_associations). Called by services.events.

The look waits for the sync actions that are at work. So each of them either sees the values that have changed, or has
told whom it associated before it is asked who that concerns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from associations import sql as all_sql
from associations.models import AssociationClaim, FormerAssociation, MatchKey, Record, RecordEvent
from associations.querysets import Surroundings
from associations.services import match_keys
from workflows import sql
from workflows.actions.create_associations import CreateAssociations, CreateConfig
from workflows.before import ClaimedChangeSet, claimed, claimed_events
from workflows.models import Run, Workflow
from workflows.triggers import changed

from . import remembered
from .enrollment import MAX_DEPTH, WorkOff, in_batches, of_record, refused_for_depth
from .synced import ENROLLED, synced_actions

Synced = Sequence[tuple[int, CreateConfig]]


def read_synced(workflow: Workflow, around: Surroundings) -> Synced:
    """The actions of the live revision that keep in sync, each with its claimant. Raises ValidationError where one can
    no longer be read."""
    assert workflow.revision is not None  # live_workflow_has_revision
    return [
        (workflow.revision.claimants[str(position)], CreateAssociations().read(fields, workflow.object_type, around))
        for position, fields in synced_actions(workflow.revision.definition).items()
        if str(position) in workflow.revision.claimants
    ]


def wait(synced: Sequence[tuple[Workflow, Synced]]) -> set[int]:
    """Wait for the sync actions that are at work and that the claimed change sets may concern; the ids of their
    workflows, which this transaction then has alone. To be said before anything else is held: in a batch of a workflow
    that is kept in sync, this lock comes first, too."""
    concerned = sorted(workflow.pk for workflow, actions in synced if _concerns(actions))
    for pk in concerned:
        sql.wait_for_sync(pk)
    return set(concerned)


def look(workflow: Workflow, synced: Synced, *, depth: int, work_off: WorkOff | None = None) -> Run | None:
    """Have a run go through the enrolled records again that the claimed change sets concern; None if there are none.
    Few of them are worked off at once by `work_off`, if it is given."""
    if not _concerns(synced):
        return None
    ids = {id_ for claimant, config in synced for id_ in (*_concerned(claimant, config), *_choose_anew(config))}
    wanted = _enrolled_once(workflow, ids) if ids else []
    return look_again(workflow, wanted, depth=depth, work_off=work_off) if wanted else None


def _enrolled_once(workflow: Workflow, ids: Iterable[int]) -> list[int]:
    """What synced.enrolled_once says of few records, in order."""
    records = Record.objects.filter(pk__in=all_sql.these(ids))
    enrolled = all_sql.each_asked(Q(Exists(of_record(workflow).filter(state__in=ENROLLED))))
    of_type = all_sql.unindexed("object_type_id", workflow.object_type_id)
    return list(records.filter(of_type, enrolled, archived_at=None).order_by("pk").values_list("pk", flat=True))


def look_again(workflow: Workflow, ids: Sequence[int], *, depth: int, work_off: WorkOff | None = None) -> Run:
    """Go through these enrolled records again, in order, in one transaction with the run and its batches. They are not
    enrolled by it. Refused at MAX_DEPTH, as an enrollment is."""
    assert workflow.revision is not None  # live_workflow_has_revision
    if depth >= MAX_DEPTH:
        return refused_for_depth(workflow, workflow.revision, len(ids), depth)
    with transaction.atomic():
        run = Run(workflow=workflow, revision=workflow.revision, cause=Run.Cause.KEEP_IN_SYNC, depth=depth)
        for batch, chunk, finished in in_batches(run, ids, work_off):
            sql.look_again(batch, Record.objects.filter(pk__in=all_sql.these(chunk)), finished=finished)
    return run


def _concerns(synced: Synced) -> bool:
    """Whether anything happened at all to records of the object types in question, or one of them is gone."""
    types = {each.pk for _, config in synced for each in (config.unlabeled.record_type, config.unlabeled.other_type)}
    events = _of_types(RecordEvent.objects.filter(change_set=OuterRef("pk")), types)
    happened = Q(Exists(events)) | Q(Exists(_partings(synced, OuterRef("pk"))))

    def compiled() -> remembered.Statement:
        return all_sql.compiled(ClaimedChangeSet.objects.filter(happened).values("pk")[:1])

    return bool(all_sql.fetch(*remembered.statement_of("concerns", [synced], compiled)))


def _partings(synced: Synced, change_set: Any) -> QuerySet[FormerAssociation]:
    """Associations that went because the other record was deleted."""
    gone = Q()
    for _, config in synced:
        for _, other in config.unlabeled.orientations:
            gone |= Q(~Exists(Record.objects.filter(pk=OuterRef(f"{other}_id"))), type=config.unlabeled.type.pk)
    return FormerAssociation.objects.filter(gone, removed_by=change_set)


def _concerned(claimant: int, config: CreateConfig) -> list[int]:
    """The ids of records whose own value is another one now, for which the action claims an association with a record
    to which something happened, or which match one now. One query, each arm by its own index (record event by change
    set, claim by row and by target, match key lookup, former association by removed_by)."""

    def compiled() -> remembered.Statement:
        first, *more = (arm.order_by() for arm in _arms(claimant, config))
        return all_sql.compiled(first.union(*more))

    return [id_ for (id_,) in all_sql.fetch(*remembered.statement_of(f"concerned {claimant}", [config], compiled))]


def _arms(claimant: int, config: CreateConfig) -> Iterator[QuerySet[Any, Any]]:
    own = _touched(config.enrolled_property.object_type_id)
    yield own.filter(Q(kind__in=_BACK) | Q(pk__in=changed(config.enrolled_property).values("pk"))).values("record")

    has_other_value = ~Q(kind=RecordEvent.Kind.CHANGED) | Q(pk__in=changed(config.associated_property).values("pk"))
    others = _touched(config.associated_property.object_type_id).filter(has_other_value).values("record")
    mine = AssociationClaim.objects.filter(claimant=claimant)
    for end in ("source", "target"):
        yield mine.filter(all_sql.InArray(F(end), others)).values("record")

    keys = MatchKey.objects.filter(index__comparison=config.comparison)
    theirs = keys.filter(all_sql.InArray(F("record"), others), index__property=config.associated_property)
    equal = all_sql.InArray(F("key"), theirs.values("key"))
    yield keys.filter(equal, index__property=config.enrolled_property).values("record")

    parted = _partings([(claimant, config)], F("removed_by")).filter(all_sql.InArray(F("removed_by"), claimed()))
    for end, _ in config.unlabeled.orientations:
        yield parted.values(end)


def _choose_anew(config: CreateConfig) -> set[int]:
    """The ids of records that one of several was chosen for, or none, among them a record that was then as it is no
    more: the choice is another without it. Whoever associates all that match is told by what he claims."""
    if config.several == "all":
        return set()
    name = config.associated_property.name
    befores = _touched(config.associated_property.object_type_id).exclude(kind=RecordEvent.Kind.CREATED)
    values = (before.get(name) for before in befores.values_list("before", flat=True))
    return match_keys.records_of_values(config.enrolled_property, config.comparison, values)


_BACK = (RecordEvent.Kind.RESTORED, RecordEvent.Kind.MERGED)


def _touched(object_type_id: int) -> QuerySet[RecordEvent]:
    return _of_types(claimed_events(), {object_type_id})


def _of_types(events: QuerySet[RecordEvent], object_type_ids: Iterable[int]) -> QuerySet[RecordEvent]:
    """Those about records of some types. Each record is looked up by its key: joined, all of them may be read."""
    record = Record.objects.filter(pk=OuterRef("record"))
    return events.alias(object_type=Subquery(record.values("object_type"))).filter(object_type__in=object_type_ids)
