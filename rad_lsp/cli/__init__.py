"""The command line. Each command has a module of its name.

A command reads its options, asks the service one question and prints the answer. It imports what
only it needs inside its function, so that `rad` starts fast.
"""
