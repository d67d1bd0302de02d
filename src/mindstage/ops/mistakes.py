"""What is wrong with the set-up of an instance, said to whoever started the program."""


class StartMistake(Exception):
    """The program cannot start here. Its text is one sentence: what is wrong, and what to do."""
