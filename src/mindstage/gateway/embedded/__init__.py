"""The narrator of this machine: a small model in a child process, spoken to over loopback."""
