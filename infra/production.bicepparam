// Production. It starts in observe mode; docs/operations.md tells when to go on to approve and auto.
using './main.bicep'

param environmentName = 'prod'
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
param storageSku = 'Standard_ZRS'
param retentionDays = 90
param dailyQuotaGb = 5
param network = { private: true, addressPrefix: '10.80.0.0/24' }
