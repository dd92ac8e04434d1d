// Everything that Unstuck needs in Azure, in one resource group. docs/operations.md tells how it is installed.

targetScope = 'resourceGroup'

import { alertsType, dataverseType, modeType, networkType } from 'types.bicep'
import { partnerCenterType, scaleType, schedulesType, signInType } from 'types.bicep'
import { tuningType, work365Type } from 'types.bicep'

@description('Short name of this installation, such as test or prod; part of all names.')
@minLength(2)
@maxLength(8)
param environmentName string

@description('Azure region, one that has Flex Consumption.')
@minLength(2)
param location string = resourceGroup().location

@description('Tags of all resources.')
param tags object = {}

@description('How far the app may go. No default, since it writes to a billing system.')
param mode modeType

@description('The Dataverse environment that Work 365 runs in.')
param dataverse dataverseType

@description('How Work 365 is configured there.')
param work365 work365Type = { timeZone: 'UTC', jobCycleSeconds: 900, runJob: 'next_cycle' }

@description('Partner Center.')
param partnerCenter partnerCenterType = { url: '', tenantId: '', clientId: '', requestsPerMinute: 500 }

@description('Who may call the app.')
param signIn signInType

@description('When the timers fire.')
param schedules schedulesType = { sweep: '0 */5 * * * *', wake: '30 * * * * *' }

@description('How large the app may grow.')
param scale scaleType = { maximumInstances: 40, instanceMemoryMB: 2048, alwaysReadyHttp: 0 }

@description('Whether it has a network of its own.')
param network networkType = { private: false, addressPrefix: '10.80.0.0/24' }

@description('Who is told, and when.')
param alerts alertsType

@description('Whether people are told through a webhook; its address is a secret in the key vault.')
param webhook bool = false

@description('How many copies of the ledger are kept.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('GB of logs a day after which nothing more is taken in until the next day. -1: no limit.')
@minValue(-1)
param dailyQuotaGb int = 5

@description('Settings that are seldom changed.')
param tuning tuningType = {}

var suffix = uniqueString(resourceGroup().id)
var prefix = 'unstuck-${environmentName}'
var needsVault = webhook || !empty(partnerCenter.clientId)
var vaultName = take('kv-${environmentName}-${suffix}', 24)

// The names stand in the code (shared/adapters/messages.py, shared/adapters/tables); a test compares.
var queueNames = [
  'diagnose'
  'remediate'
  'notify'
  'operate'
  'deliver'
  'diagnose-poison'
  'remediate-poison'
  'notify-poison'
  'operate-poison'
  'deliver-poison'
]
var tableNames = [
  'cases'
  'caseindex'
  'sweeps'
  'budgets'
  'breakers'
  'pauses'
  'holds'
  'alarms'
  'operations'
  'idempotency'
  'webhooks'
]

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: '${prefix}-identity'
    location: location
    tags: tags
  }
}

module ownNetwork 'modules/network.bicep' = if (network.private) {
  name: 'network'
  params: {
    name: '${prefix}-network'
    location: location
    tags: tags
    addressPrefix: network.addressPrefix
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: take('unstuck${replace(toLower(environmentName), '-', '')}${suffix}', 24)
    location: location
    tags: tags
    sku: storageSku
    private: network.private
    queueNames: queueNames
    tableNames: tableNames
    containerName: 'package'
  }
}

module telemetry 'modules/telemetry.bicep' = {
  name: 'telemetry'
  params: {
    workspaceName: '${prefix}-logs'
    componentName: '${prefix}-insights'
    location: location
    tags: tags
    retentionDays: retentionDays
    dailyQuotaGb: dailyQuotaGb
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    storageAccountName: storage.outputs.accountName
    componentName: telemetry.outputs.componentName
  }
}

module vault 'modules/vault.bicep' = if (needsVault) {
  name: 'vault'
  params: {
    name: vaultName
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    private: network.private
  }
}

module blobEndpoint 'modules/private-endpoint.bicep' = if (network.private) {
  name: 'endpoint-blob'
  params: {
    name: '${prefix}-blob'
    location: location
    tags: tags
    serviceId: storage.outputs.id
    part: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
    networkId: ownNetwork!.outputs.id
    subnetId: ownNetwork!.outputs.endpointsSubnetId
  }
}

module queueEndpoint 'modules/private-endpoint.bicep' = if (network.private) {
  name: 'endpoint-queue'
  params: {
    name: '${prefix}-queue'
    location: location
    tags: tags
    serviceId: storage.outputs.id
    part: 'queue'
    zoneName: 'privatelink.queue.${environment().suffixes.storage}'
    networkId: ownNetwork!.outputs.id
    subnetId: ownNetwork!.outputs.endpointsSubnetId
  }
}

module tableEndpoint 'modules/private-endpoint.bicep' = if (network.private) {
  name: 'endpoint-table'
  params: {
    name: '${prefix}-table'
    location: location
    tags: tags
    serviceId: storage.outputs.id
    part: 'table'
    zoneName: 'privatelink.table.${environment().suffixes.storage}'
    networkId: ownNetwork!.outputs.id
    subnetId: ownNetwork!.outputs.endpointsSubnetId
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (network.private && needsVault) {
  name: 'endpoint-vault'
  params: {
    name: '${prefix}-vault'
    location: location
    tags: tags
    serviceId: vault!.outputs.id
    part: 'vault'
    zoneName: 'privatelink.vaultcore.azure.net'
    networkId: ownNetwork!.outputs.id
    subnetId: ownNetwork!.outputs.endpointsSubnetId
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  // Without its roles the first start would fail; without the endpoints a private one finds no storage.
  dependsOn: [roles, vault, blobEndpoint, queueEndpoint, tableEndpoint, vaultEndpoint]
  params: {
    name: '${prefix}-${suffix}'
    planName: '${prefix}-plan'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageAccountName: storage.outputs.accountName
    packageUrl: storage.outputs.packageUrl
    telemetryConnectionString: telemetry.outputs.connectionString
    subnetId: network.private ? ownNetwork!.outputs.instancesSubnetId : ''
    vaultName: needsVault ? vaultName : ''
    webhook: webhook
    mode: mode
    dataverse: dataverse
    work365: work365
    partnerCenter: partnerCenter
    signIn: signIn
    schedules: schedules
    scale: scale
    tuning: tuning
  }
}

module alarms 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    prefix: prefix
    location: location
    tags: tags
    workspaceId: telemetry.outputs.workspaceId
    alerts: alerts
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    workspaceId: telemetry.outputs.workspaceId
  }
}

@description('Name of the function app, for deployments of the package.')
output AZURE_FUNCTION_APP_NAME string = app.outputs.appName

@description('Its address.')
output UNSTUCK_URL string = app.outputs.url

@description('Client id of the app\'s identity: infra/setup.py makes it an application user in Dataverse.')
output IDENTITY_CLIENT_ID string = identity.outputs.clientId

@description('Principal id of the app\'s identity: infra/setup.py lets the registration trust it.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Name of the storage account, for backup and restore.')
output STORAGE_ACCOUNT_NAME string = storage.outputs.accountName
