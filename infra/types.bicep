// Types that main.bicep and its modules share. A value that does not fit is refused before anything is deployed.

@export()
@description('How far the app may go.')
type modeType = 'observe' | 'approve' | 'auto'

@export()
@description('The Dataverse environment that Work 365 runs in.')
type dataverseType = {
  @description('Its address, such as https://contoso.crm.dynamics.com.')
  @minLength(20)
  @maxLength(200)
  url: string

  @description('Its organisation id. The app writes to no other one, so a copied environment is safe.')
  @minLength(36)
  @maxLength(36)
  organizationId: string
}

@export()
@description('How Work 365 is configured there.')
type work365Type = {
  @description('Its time zone, as an IANA name such as Europe/Amsterdam.')
  @minLength(3)
  timeZone: string

  @description('How often it picks up waiting jobs, in seconds.')
  @minValue(1)
  @maxValue(86400)
  jobCycleSeconds: int

  @description('How a change\'s job is run: next_cycle, job_row, or workflow:<id>.')
  @minLength(7)
  runJob: string
}

@export()
@description('Partner Center. An empty address: the provider is not asked, so nothing is retriggered without a yes.')
type partnerCenterType = {
  @description('Empty, or https://api.partnercenter.microsoft.com.')
  url: string

  @description('Tenant of the partner. Empty together with clientId: the app signs in with its managed identity.')
  tenantId: string

  @description('Client id of the registration in the partner\'s tenant. Its secret stands in the key vault.')
  clientId: string

  @description('Requests that one process may send in a minute.')
  @minValue(1)
  @maxValue(100000)
  requestsPerMinute: int
}

@export()
@description('Who may call the app. infra/setup.py makes the registration and prints its client id.')
type signInType = {
  @description('Client id of the app\'s own registration in Entra ID.')
  @minLength(36)
  @maxLength(36)
  clientId: string

  @description('Client ids of further applications that may call it, such as the connector\'s and the pipeline\'s.')
  callers: string[]
}

@export()
@description('How often the two timers fire, as six fields with seconds first.')
type schedulesType = {
  @description('When to look for suspects.')
  @minLength(11)
  sweep: string

  @description('When to look at due cases.')
  @minLength(11)
  wake: string
}

@export()
@description('How large the app may grow. docs/scale.md has values for each size.')
type scaleType = {
  @description('Instances at most, all triggers together.')
  @minValue(1)
  @maxValue(1000)
  maximumInstances: int

  @description('Memory of one instance, in MB.')
  instanceMemoryMB: 512 | 2048 | 4096

  @description('Instances for HTTP that are kept warm. 0: the first call after a while takes seconds.')
  @minValue(0)
  @maxValue(10)
  alwaysReadyHttp: int
}

@export()
@description('A network of the app\'s own. Without one, storage and vault have public addresses that only identities may use.')
type networkType = {
  @description('Whether storage and vault are reached through private endpoints only.')
  private: bool

  @description('Address range of the network; two /26 are cut from it.')
  @minLength(9)
  addressPrefix: string
}

@export()
@description('Who is told, and when.')
type alertsType = {
  @description('Mail addresses that alerts go to. Empty: alerts are only seen in the portal.')
  mailTo: string[]

  @description('Within this time there must be a complete sweep: three periods of the sweep\'s schedule.')
  sweepSilence: 'PT15M' | 'PT30M' | 'PT45M' | 'PT1H' | 'PT3H'

  @description('Escalated cases within an hour that are too many.')
  @minValue(1)
  escalationsPerHour: int

  @description('Hours that an approval may wait.')
  @minValue(1)
  approvalHours: int
}

@export()
@description('Settings that are seldom changed. One that is left out has the app\'s own default (docs/settings.md).')
type tuningType = {
  @description('Path of the policy file in the deployed package, such as /home/site/wwwroot/policy.json.')
  UNSTUCK_POLICY: string?

  @description('A collector that takes OTLP over HTTP, besides Application Insights.')
  OTEL_EXPORTER_OTLP_ENDPOINT: string?

  @description('Whether spans and metrics are written to standard error, too: true or false.')
  UNSTUCK_TELEMETRY_CONSOLE: string?

  @description('Hosts where flows may have themselves called, with commas between.')
  UNSTUCK_WEBHOOK_HOSTS: string?

  @description('Path of a schema map in the deployed package.')
  WORK365_SCHEMA_MAP: string?

  @description('Seconds added to a job cycle before a change counts as stuck.')
  UNSTUCK_GRACE_SECONDS: string?

  @description('Seconds that a live job may take.')
  UNSTUCK_JOB_NORMAL_SECONDS: string?

  @description('Seconds that a change must stay provisioned.')
  UNSTUCK_STABLE_SECONDS: string?

  @description('Seconds until a case that waits is read again.')
  UNSTUCK_LOOK_AGAIN_SECONDS: string?

  @description('Seconds after which a started retrigger counts as abandoned.')
  UNSTUCK_ACTION_LIMIT_SECONDS: string?

  @description('Seconds that the provider\'s answers may lag behind.')
  UNSTUCK_PROVIDER_LAG_SECONDS: string?

  @description('How often one change may be retriggered, 1 to 5.')
  UNSTUCK_ATTEMPTS: string?
}
