from . import bulk_jobs, change_sets, labels, object_types, properties, records

__all__ = ["bulk_jobs", "change_sets", "labels", "object_types", "properties", "records"]
