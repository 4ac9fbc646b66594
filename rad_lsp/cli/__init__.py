"""The command line: options in, one use case, one rendering out. One module per command.

Modules import what a command needs inside it, so that `rad` starts fast.
"""
