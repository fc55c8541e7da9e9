from . import queue, tokens

__all__ = ["queue", "tokens"]
