"""Workflows as HubSpot's flow JSON, and flows as workflows.

`read_flow` makes a draft of a flow, whatever it contains; `write_flow` makes a flow of a workflow. What this product
cannot do is kept in its place as it was sent, marked `unsupported` with the reason, and refused when it would have to
run. Called by services.flows; nothing here writes to the database.
"""

from .problems import InvalidFlow, Problem
from .reading import Draft, read_flow
from .writing import listing, write_flow

__all__ = ["Draft", "InvalidFlow", "Problem", "listing", "read_flow", "write_flow"]
