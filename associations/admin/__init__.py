from . import change_sets, labels, object_types, properties, records

__all__ = ["change_sets", "labels", "object_types", "properties", "records"]
