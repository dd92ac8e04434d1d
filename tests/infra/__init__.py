"""Checks of infra/, .github/ and azure.yaml that need no Azure, no Bicep compiler and no network."""
