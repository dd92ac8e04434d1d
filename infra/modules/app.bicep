// The function app on Flex Consumption, Python 3.13, its settings, and the sign-in that stands in front of it.

import { dataverseType, modeType, partnerCenterType, scaleType } from '../types.bicep'
import { schedulesType, signInType, tuningType, work365Type } from '../types.bicep'

@description('Name of the function app, unique in all of Azure.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of the plan.')
@minLength(1)
@maxLength(60)
param planName string

@description('Azure region, one that has Flex Consumption.')
param location string

@description('Tags of the resources.')
param tags object

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of the app\'s identity.')
@minLength(36)
@maxLength(36)
param identityClientId string

@description('Name of the storage account.')
param storageAccountName string

@description('Where the deployed package is put.')
param packageUrl string

@description('Where telemetry is sent.')
param telemetryConnectionString string

@description('Resource id of the subnet of its instances. Empty: no network of its own.')
param subnetId string

@description('Name of the key vault. Empty: there is none.')
param vaultName string

@description('Whether people are told through a webhook; its address stands in the key vault.')
param webhook bool

@description('How far the app may go.')
param mode modeType

@description('The Dataverse environment.')
param dataverse dataverseType

@description('How Work 365 is configured.')
param work365 work365Type

@description('Partner Center.')
param partnerCenter partnerCenterType

@description('Who may call the app.')
param signIn signInType

@description('When the timers fire.')
param schedules schedulesType

@description('How large it may grow.')
param scale scaleType

@description('Settings that are seldom changed.')
param tuning tuningType

var secret = '@Microsoft.KeyVault(VaultName=${vaultName};SecretName='
var alwaysReady = [{ name: 'http', instanceCount: scale.alwaysReadyHttp }]

// Read by the Functions host and by App Service, not by the app. The switches of telemetry that the app itself sends come
// here, together with the code that sends it.
var platformSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryConnectionString
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: tenant().tenantId
}

// Read by the app: docs/settings.md.
var appSettings = {
  UNSTUCK_MODE: mode
  UNSTUCK_TENANT_ID: tenant().tenantId
  DATAVERSE_URL: dataverse.url
  DATAVERSE_ORGANIZATION_ID: dataverse.organizationId
  MANAGED_IDENTITY_CLIENT_ID: identityClientId
  AzureWebJobsStorage__accountName: storageAccountName
  PARTNER_CENTER_URL: partnerCenter.url
  PARTNER_CENTER_TENANT_ID: partnerCenter.tenantId
  PARTNER_CENTER_CLIENT_ID: partnerCenter.clientId
  PARTNER_CENTER_CLIENT_SECRET: empty(partnerCenter.clientId) ? '' : '${secret}partner-center-client-secret)'
  PARTNER_CENTER_REQUESTS_PER_MINUTE: string(partnerCenter.requestsPerMinute)
  NOTIFY_WEBHOOK_URL: webhook ? '${secret}notify-webhook-url)' : ''
  WORK365_TIME_ZONE: work365.timeZone
  WORK365_JOB_CYCLE_SECONDS: string(work365.jobCycleSeconds)
  WORK365_RUN_JOB: work365.runJob
  SWEEP_SCHEDULE: schedules.sweep
  WAKE_SCHEDULE: schedules.wake
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: scale.maximumInstances
        instanceMemoryMB: scale.instanceMemoryMB
        alwaysReady: scale.alwaysReadyHttp > 0 ? alwaysReady : []
      }
      runtime: { name: 'python', version: '3.13' }
    }
  }
}

// All settings at once: what somebody added by hand in the portal is gone after the next deployment.
resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: site
  name: 'appsettings'
  properties: union(platformSettings, appSettings, tuning)
}

resource auth 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: site
  name: 'authsettingsV2'
  dependsOn: [settings]
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      // The health page tells no secrets, and the description of the API is public; the console's files hold no data and send whoever has no session to sign in.
      excludedPaths: ['/api/health', '/api/swagger.json', '/api/console', '/api/console/*']
    }
    httpSettings: { requireHttps: true }
    login: { tokenStore: { enabled: false } }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          clientId: signIn.clientId
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
        }
        validation: {
          allowedAudiences: ['api://${signIn.clientId}', signIn.clientId]
          defaultAuthorizationPolicy: {
            allowedApplications: concat([signIn.clientId], signIn.callers)
          }
        }
      }
    }
  }
}

// Publishing by user name and password is another way in: off.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: site
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: site
  name: 'scm'
  properties: { allow: false }
}

@description('Name of the function app.')
output appName string = site.name

@description('Its address.')
output url string = 'https://${site.properties.defaultHostName}'
