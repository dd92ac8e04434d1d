"""The connector's files, held to Microsoft's rules. Input: documents. Output: problems in words. Nothing is faked."""
