// A test installation: observe only, cheap, small.
using './main.bicep'

param environmentName = 'test'
param mode = 'observe'
param dataverse = {
  url: readEnvironmentVariable('DATAVERSE_URL')
  organizationId: readEnvironmentVariable('DATAVERSE_ORGANIZATION_ID')
}
param work365 = {
  timeZone: readEnvironmentVariable('WORK365_TIME_ZONE', 'UTC')
  jobCycleSeconds: 900
  runJob: 'next_cycle'
}
param signIn = {
  clientId: readEnvironmentVariable('UNSTUCK_API_CLIENT_ID')
  callers: []
}
param alerts = {
  mailTo: [readEnvironmentVariable('UNSTUCK_ALERTS_TO')]
  sweepSilence: 'PT15M'
  escalationsPerHour: 10
  approvalHours: 24
}
param storageSku = 'Standard_LRS'
param retentionDays = 30
param dailyQuotaGb = 1
param network = { private: false, addressPrefix: '10.80.0.0/24' }
