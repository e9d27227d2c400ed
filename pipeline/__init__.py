"""Mittelwelle: repeated survey waves of firms, from raw exports to cleared benchmark reports."""
