"""The addresses of the automation API: HubSpot's, and those beyond in the same style. By date they are the same."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import flows, previewing, runs, switching, undoing, why

AUTOMATION: list[URLPattern | URLResolver] = [
    path("flows", flows.Flows.as_view()),
    path("flows/batch/read", flows.BatchRead.as_view()),
    path("flows/email-campaigns", flows.EmailCampaigns.as_view()),
    path("flows/performance/<str:flowId>", flows.Performance.as_view()),
    path("flows/<str:flowId>", flows.Flow.as_view()),
    path("workflow-id-mappings/batch/read", flows.Mappings.as_view()),
    path("action-types", flows.ActionTypes.as_view()),
    # Beyond HubSpot.
    path("flows/<str:flowId>/turn-on", switching.TurnOn.as_view()),
    path("flows/<str:flowId>/turn-off", switching.TurnOff.as_view()),
    path("flows/<str:flowId>/enroll", switching.Enroll.as_view()),
    path("flows/<str:flowId>/unenroll", switching.Unenroll.as_view()),
    path("flows/<str:flowId>/revisions", switching.Revisions.as_view()),
    path("flows/<str:flowId>/revisions/<str:revisionId>", switching.Revision.as_view()),
    path("flows/<str:flowId>/preview", previewing.Preview.as_view()),
    path("flows/<str:flowId>/preview.csv", previewing.PreviewCsv.as_view()),
    path("flows/<str:flowId>/test", previewing.Test.as_view()),
    path("flows/<str:flowId>/warnings", previewing.Warnings.as_view()),
    path("flows/<str:flowId>/coverage", previewing.Coverage.as_view()),
    path("flows/<str:flowId>/runs", runs.Runs.as_view()),
    path("runs/<str:runId>", runs.OneRun.as_view()),
    path("runs/<str:runId>/records", runs.Records.as_view()),
    path("runs/<str:runId>/retry", runs.Retry.as_view()),
    path("runs/<str:runId>/undo", undoing.UndoView.as_view()),
    path("runs/<str:runId>/redo", undoing.RedoView.as_view()),
    path("runs/<str:runId>/undo/preview", undoing.UndoPreviewView.as_view()),
    path("runs/<str:runId>/redo/preview", undoing.RedoPreviewView.as_view()),
    path("runs/<str:runId>/undos", undoing.Undos.as_view()),
    path("reviews", undoing.Reviews.as_view()),
    path("reviews/<str:actionRunId>/<str:recordId>", undoing.PickView.as_view()),
    path("reviews/<str:actionRunId>/<str:recordId>/none", undoing.NoneView.as_view()),
    path(
        "associations/<str:fromObjectType>/<str:fromObjectId>/<str:toObjectType>/<str:toObjectId>/history",
        why.PairHistory.as_view(),
    ),
    path("records/<str:objectType>/<str:objectId>/outcomes", why.LastOutcomes.as_view()),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("automation/v4/", include(AUTOMATION)),
    path("automation/<dated:version>/", include(AUTOMATION)),
]
