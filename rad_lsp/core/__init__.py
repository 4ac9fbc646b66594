"""What sessions are and what their figures mean. Pure: no files, clock or environment."""
