"""What flow templates are checked for: a file for each part."""
