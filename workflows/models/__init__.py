from .definition import Action, EnrollmentTrigger, Workflow, WorkflowReference, WorkflowRevision
from .execution import ActionOutcome, ActionRun, Batch, Enrollment, Outcome, Run
from .preview import Preview, PreviewPart

__all__ = [
    "Action",
    "ActionOutcome",
    "ActionRun",
    "Batch",
    "Enrollment",
    "EnrollmentTrigger",
    "Outcome",
    "Preview",
    "PreviewPart",
    "Run",
    "Workflow",
    "WorkflowReference",
    "WorkflowRevision",
]
