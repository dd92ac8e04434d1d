"""A corpus of evidence, labelled from the description of the causes and never from what the code answers."""
