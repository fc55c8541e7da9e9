from . import enrollments, runs, workflow

__all__ = ["enrollments", "runs", "workflow"]
