from .figures import AssociationFigure
from .history import AssociationChange, ChangeSet, FormerAssociation, RecordEvent
from .imports import ImportRun
from .jobs import BulkJob, BulkPart
from .records import Association, AssociationClaim, AssociationEnd, MatchIndex, MatchKey, Record, UniqueValue
from .schema import AssociationType, HighestNumber, ObjectType, Property, PropertyGroup

__all__ = [
    "Association",
    "AssociationChange",
    "AssociationClaim",
    "AssociationEnd",
    "AssociationFigure",
    "AssociationType",
    "BulkJob",
    "BulkPart",
    "ChangeSet",
    "FormerAssociation",
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
