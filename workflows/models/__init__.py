from .definition import Action, EnrollmentTrigger, Workflow, WorkflowReference, WorkflowRevision
from .execution import ActionOutcome, ActionRun, Batch, Enrollment, Outcome, Run
from .preview import Preview, PreviewPart
from .review import RuledOut
from .undoing import LeftPair, Undo, UndoPart

__all__ = [
    "Action",
    "ActionOutcome",
    "ActionRun",
    "Batch",
    "Enrollment",
    "EnrollmentTrigger",
    "LeftPair",
    "Outcome",
    "Preview",
    "PreviewPart",
    "RuledOut",
    "Run",
    "Undo",
    "UndoPart",
    "Workflow",
    "WorkflowReference",
    "WorkflowRevision",
]
