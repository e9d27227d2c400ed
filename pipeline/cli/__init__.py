"""The command `mittelwelle`; heavy parts are imported only by the command that needs them."""

from pipeline.cli.app import main

__all__ = ["main"]
