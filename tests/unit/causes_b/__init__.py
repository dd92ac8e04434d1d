"""The causes of one subscription, its chain and its change: each alone, and beside what looks like it and is not."""
