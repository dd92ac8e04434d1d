// Alarms that ring before a customer does. docs/operations.md has a section for each, and lists the signals they read.

import { alertsType } from '../types.bicep'

@description('What all names begin with.')
@minLength(1)
@maxLength(40)
param prefix string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Who is told, and when.')
param alerts alertsType

// Each rule counts the rows that its query gives. "silent" ones ring when there is none.
var rules = [
  {
    name: 'no-complete-sweep'
    title: 'No complete sweep for three periods'
    severity: 1
    window: alerts.sweepSilence
    silent: true
    query: 'AppMetrics | where Name == "unstuck.sweeps" and tostring(Properties.complete) == "true" and Sum > 0'
  }
  {
    name: 'poison-message'
    title: 'A queue message failed too often and was parked'
    severity: 2
    window: 'PT15M'
    silent: false
    query: 'AppRequests | where OperationName in ("diagnose_poison", "remediate_poison", "notify_poison", "operate_poison", "deliver_poison")'
  }
  {
    name: 'unsettled-case'
    title: 'A case is unsettled for more than an hour'
    severity: 1
    window: 'PT15M'
    silent: false
    query: 'AppMetrics | where Name == "unstuck.cases.oldest_seconds" and tostring(Properties.state) == "unsettled" and Max > 3600'
  }
  {
    name: 'left-not-applicable'
    title: 'A change was left at Not Applicable by us'
    severity: 1
    window: 'PT15M'
    silent: false
    query: 'AppMetrics | where Name == "unstuck.changes.not_applicable" and Max > 0'
  }
  {
    name: 'escalations-rising'
    title: 'Too many cases were escalated within an hour'
    severity: 2
    window: 'PT1H'
    silent: false
    query: 'AppMetrics | where Name == "unstuck.transitions" and tostring(Properties.to) == "escalated" | summarize escalated = sum(Sum) | where escalated >= ${alerts.escalationsPerHour}'
  }
  {
    name: 'breaker-open'
    title: 'A breaker is open: Dataverse or a provider keeps failing'
    severity: 2
    window: 'PT15M'
    silent: false
    query: 'AppMetrics | where Name == "unstuck.breakers.open" and Max > 0'
  }
  {
    name: 'approval-waiting'
    title: 'An approval waits for too long'
    severity: 3
    window: 'PT1H'
    silent: false
    query: 'AppMetrics | where Name == "unstuck.cases.oldest_seconds" and tostring(Properties.state) == "awaiting_approval" and Max > ${alerts.approvalHours * 3600}'
  }
  {
    name: 'dataverse-refused'
    title: 'Dataverse does not accept the app\'s identity'
    severity: 1
    window: 'PT15M'
    silent: false
    query: 'AppMetrics | where Name == "unstuck.refused" and tostring(Properties.source) == "dataverse" and Sum > 0'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-people'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'unstuck'
    emailReceivers: [
      for (address, index) in alerts.mailTo: {
        name: 'mail${index}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource queryRules 'Microsoft.Insights/scheduledQueryRules@2021-08-01' = [
  for rule in rules: {
    name: '${prefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Unstuck: ${rule.title}'
      description: 'docs/operations.md, "${rule.name}", says what to do.'
      severity: rule.severity
      enabled: true
      autoMitigate: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: rule.window
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.silent ? 'LessThan' : 'GreaterThan'
            threshold: rule.silent ? 1 : 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]
