from .pages import EditorPages

__all__ = ["EditorPages"]
