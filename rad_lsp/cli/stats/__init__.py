"""`rad stats`: questions about recorded sessions. One module per command."""
