"""Work 365 as it stands in Dataverse: its schema map, the reads that make evidence, and the few writes."""
