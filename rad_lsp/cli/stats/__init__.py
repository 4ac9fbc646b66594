"""The commands of `rad stats`, each in a file of its name."""
