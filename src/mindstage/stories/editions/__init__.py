"""A story to take away: as data that comes in again, and in four formats that other programs read."""
