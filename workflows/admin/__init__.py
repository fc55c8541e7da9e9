from . import enrollments, labels, records, runs, workflow

__all__ = ["enrollments", "labels", "records", "runs", "workflow"]
