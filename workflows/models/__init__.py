from .definition import Action, EnrollmentTrigger, Workflow, WorkflowReference, WorkflowRevision
from .execution import ActionOutcome, ActionRun, Batch, Enrollment, Outcome, Run

__all__ = [
    "Action",
    "ActionOutcome",
    "ActionRun",
    "Batch",
    "Enrollment",
    "EnrollmentTrigger",
    "Outcome",
    "Run",
    "Workflow",
    "WorkflowReference",
    "WorkflowRevision",
]
