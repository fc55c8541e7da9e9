from . import enrollments, records, runs, workflow

__all__ = ["enrollments", "records", "runs", "workflow"]
