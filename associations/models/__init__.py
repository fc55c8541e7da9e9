from .history import AssociationChange, ChangeSet, RecordEvent
from .imports import ImportRun
from .records import Association, AssociationEnd, MatchIndex, MatchKey, Record, UniqueValue
from .schema import AssociationType, ObjectType, Property, PropertyGroup

__all__ = [
    "Association",
    "AssociationChange",
    "AssociationEnd",
    "AssociationType",
    "ChangeSet",
    "ImportRun",
    "MatchIndex",
    "MatchKey",
    "ObjectType",
    "Property",
    "PropertyGroup",
    "Record",
    "RecordEvent",
    "UniqueValue",
]
