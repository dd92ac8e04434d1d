// The one identity that the app has: for storage, Dataverse, telemetry, the vault, and its own sign-in.

@description('Name of the identity.')
@minLength(3)
@maxLength(128)
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id

@description('What Azure and Dataverse know it by as an application.')
output clientId string = identity.properties.clientId

@description('What role assignments and federated credentials name.')
output principalId string = identity.properties.principalId
