"""GSBPM 8, evaluate: pages for the analyst, who sees what readers must not. Nothing is published.

`render_disclosure` says which cells are not published, why, whom that protects, and which coarser
groups would spare some.
"""

from pipeline.evaluate.disclosure import render_disclosure

__all__ = ["render_disclosure"]
