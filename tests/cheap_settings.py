"""The program's own settings but for one: Argon2id with the least work it can do.

For programs that tests start as a process of their own (`system/program.py`, CHEAP). A sign-up costs a quarter of a
second otherwise, and the tests of pages and the censuses do it two hundred times. The program has no switch for it.
"""

from mindstage.config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["cheap_hasher.CheapArgon2PasswordHasher"]
