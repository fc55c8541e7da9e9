from .history import AssociationChange, ChangeSet, RecordEvent
from .imports import ImportRun
from .records import Association, AssociationEnd, MatchIndex, MatchKey, Record, UniqueValue
from .schema import AssociationType, HighestNumber, ObjectType, Property, PropertyGroup

__all__ = [
    "Association",
    "AssociationChange",
    "AssociationEnd",
    "AssociationType",
    "ChangeSet",
    "HighestNumber",
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
