"""GSBPM 7, disseminate: from the released numbers and the study's texts to documents."""

from pipeline.disseminate.report import render_reports

__all__ = ["render_reports"]
