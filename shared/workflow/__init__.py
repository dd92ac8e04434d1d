"""What happens, in what order: one module for each step, through ports only.

Every step reads what is true from the case store and from Dataverse, decides afresh, and may run twice, late,
or at the same time as itself.
"""
