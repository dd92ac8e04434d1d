// The workbook: ageing, causes, outcomes, effects against caps. Its content stands in ../workbook.json.

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Resource id of the Log Analytics workspace that it reads.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'unstuck')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Unstuck'
    description: 'Stuck License Change Logs: how old, why, and what became of them.'
    category: 'workbook'
    sourceId: workspaceId
    version: 'Notebook/1.0'
    serializedData: loadTextContent('../workbook.json')
  }
}
