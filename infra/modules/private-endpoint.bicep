// One private endpoint, with the zone in which its name is looked up.

@description('Name of the endpoint.')
@minLength(2)
@maxLength(80)
param name string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('What is reached through it: a resource id.')
param serviceId string

@description('Which part of that: blob, queue, table or vault.')
@allowed(['blob', 'queue', 'table', 'vault'])
param part string

@description('The private zone, such as privatelink.blob.core.windows.net.')
param zoneName string

@description('Resource id of the network that looks names up in that zone.')
param networkId string

@description('Resource id of the subnet that the endpoint stands in.')
param subnetId string

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: part
        properties: {
          privateLinkServiceId: serviceId
          groupIds: [part]
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: zoneName
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: part
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: networkId }
  }
}

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: part
        properties: { privateDnsZoneId: zone.id }
      }
    ]
  }
}
