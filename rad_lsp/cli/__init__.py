"""The command line. Each module has the command that it is named after.

A command reads its options, asks the service one question and prints the answer. It imports what
only it needs inside its function, so that `rad` starts fast.
"""
