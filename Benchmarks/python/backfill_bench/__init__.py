"""`make bench NAME=backfill`: how fast the rows of a live table get their new columns, and what that does to its users."""
