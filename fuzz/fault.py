"""What a target raises."""


class FaultError(Exception):
    """Something that must be true of every input is not true of this one."""
