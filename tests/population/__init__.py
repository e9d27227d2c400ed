"""A made-up population with a known truth, and the files that its surveys would have left."""
