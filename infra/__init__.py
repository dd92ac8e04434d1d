"""What puts the app into Azure: Bicep, the set-up of directory and Dataverse, backup of the ledger. Not deployed."""
