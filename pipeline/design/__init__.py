"""GSBPM 2, design: which column holds which item, and the indicators that every study has."""

from pipeline.design.codebook import column_map
from pipeline.design.indicators import with_response

__all__ = ["column_map", "with_response"]
