// The app's own network: one subnet for its instances, one for private endpoints.

@description('Name of the network.')
@minLength(2)
@maxLength(64)
param name string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Address range, such as 10.80.0.0/24.')
param addressPrefix string

resource instancesRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${name}-instances'
  location: location
  tags: tags
}

resource endpointsRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${name}-endpoints'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'instances'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          networkSecurityGroup: { id: instancesRules.id }
          delegations: [
            {
              name: 'flex'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          networkSecurityGroup: { id: endpointsRules.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

@description('Resource id of the network.')
output id string = network.id

@description('Resource id of the subnet of the app\'s instances.')
output instancesSubnetId string = network.properties.subnets[0].id

@description('Resource id of the subnet of the private endpoints.')
output endpointsSubnetId string = network.properties.subnets[1].id
