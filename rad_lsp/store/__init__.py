"""All sessions of a workspace, kept fresh and handed out as immutable snapshots."""
