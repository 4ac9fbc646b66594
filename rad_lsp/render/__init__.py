"""Answers as text, Markdown, JSON and CSV. No figure is computed here."""
