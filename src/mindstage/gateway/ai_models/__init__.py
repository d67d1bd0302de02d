"""Models that can be put on this machine: what there is, what is here, how one is fetched and checked."""
