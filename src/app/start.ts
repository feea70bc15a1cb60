import { createApprovalLinks, createApprovals, type ApprovalPorts } from '../approvals/index.ts'
import {
  browserOrigin,
  createApiKeyVerifier,
  createAuthenticator,
  createCallQuotas,
  createDoorLimits,
  linkUrl,
} from '../auth/index.ts'
import { createMemoryCatalogue, createGateway, openRunLedger, openUsageLedger } from '../gateway/index.ts'
import { createHttpServer, type Health } from '../http/index.ts'
import { createGuardedFetch } from '../egress/index.ts'
import { systemClock, type Clock } from '../kernel/index.ts'
import { createCedarPolicyEngine } from '../policy/index.ts'
import { startSandbox, type Sandbox } from '../sandbox/index.ts'
import { openStorage, type Storage } from '../storage/index.ts'
import { connectionFiles } from './connection-files.ts'
import { createFunctionServices } from './function-services.ts'
import { createHostedState } from './hosted-state.ts'
import { recordApproval } from './record-approval.ts'
import { openRecording } from './recording/open-recording.ts'
import { listen } from './listen.ts'
import { openKeeping } from './recording/open-keeping.ts'
import { recordRun, type RecordedRun } from './recording/record-run.ts'
import { createReplays } from './replay/run-replay.ts'
import { createShadowMode } from './shadow/create-shadow-mode.ts'
import { recordActivation } from './record-activation.ts'
import { openExporting } from './exporters/open-exporting.ts'
import { auditPlaceOf } from './log-place.ts'
import { publishLog } from './publish-log.ts'
import { openNotifications } from './notifications/open-notifications.ts'
import { wakeAfterAlarms } from './notifications/wake-after-alarms.ts'
import { placesOf } from './handing-on/places-of.ts'
import { watchPlaces } from './handing-on/watch-places.ts'
import { createProofs, createTokenServices } from './token-services.ts'
import { standBy, type StandBy } from './stand-by.ts'
import { openUpstreams } from './upstreams.ts'
import { watchLog } from './watch-log.ts'
import { watchSandbox, type SandboxWatch } from './watch-sandbox.ts'
import { openIdentity } from './open-identity.ts'
import { pageRoutes } from './page-routes.ts'
import type { RunningApp, StartOptions } from './running-app.ts'
import { createNamespaces } from './namespaces.ts'
import { masterKeyOf } from './master-key-of.ts'
import { limitCalls } from './limit-calls.ts'
import { noteUse } from './note-use.ts'
import { ensureOperator } from './operator.ts'
import { checkParts } from './check-parts.ts'
import { createManagement } from './management/create-management.ts'
import { createWithdrawals } from './create-withdrawals.ts'

/**
 * Composes and starts everything: sandbox, storage, policies, pipeline, HTTP. Listens last.
 * Whatever was started is stopped again if a later part cannot start.
 * @throws McpworksError `sandbox_unavailable`, `data_directory_in_use`, `storage_unavailable`
 */
export async function start(options: StartOptions): Promise<RunningApp> {
  const { config } = options
  const opened: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = []
    // A part that cannot end well must not keep the others from ending.
    for (const close of opened.toReversed()) await close().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  try {
    // The data directory first: a second server must not start a sandbox that it will not use. The sandbox soon after:
    // starting a process costs more the larger this one has grown.
    const clock = options.clock ?? systemClock
    const masterKey = masterKeyOf(config)
    const standing = standBy(config, options.log, {
      listen: (server) => listen(server, config.http),
      onStandby: options.onStandby,
      signal: options.signal,
    })
    opened.push(() => standing.end())
    const storage = await openStorage({
      dataDirectory: config.dataDirectory,
      clock,
      ...(masterKey === null ? {} : { masterKey }),
      acceptOlderLog: options.acceptOlderLog ?? false,
      ...standing.storage,
    })
    opened.push(() => storage.close())
    const sandboxWatch = watchSandbox(options.log, clock)
    const sandbox = await startSandbox(config.sandbox, sandboxWatch.onChange)
    opened.push(() => sandbox.close())
    return await compose(options, clock, storage, sandbox, sandboxWatch, standing, opened, closeAll)
  } catch (error) {
    await closeAll().catch(() => {})
    throw error
  }
}

/** Long, because it is the one list of all parts in the order in which they are made; what makes each is elsewhere. */
async function compose(
  { config, log, version, entries = [], guardedFetch = createGuardedFetch() }: StartOptions,
  clock: Clock,
  storage: Storage,
  sandbox: Sandbox,
  sandboxWatch: SandboxWatch,
  standing: StandBy,
  opened: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<RunningApp> {
  const { decisionLog } = storage
  let run: RecordedRun | null = null
  // Before everything that is opened from here on, so that it comes after the end of it.
  opened.push(async () => run?.end())
  const catalogue = createMemoryCatalogue()
  const policy = createCedarPolicyEngine()
  const identity = await openIdentity({ storage, config, guardedFetch, clock, log, opened })
  const { closures, registry, use, doorRecords, identityEvents, people, workloadIssuers, authorization } = identity
  const namespaces = await createNamespaces(storage.namespaces, catalogue, clock)
  const isFirstStart = namespaces.list().length === 0
  for (const [service, own] of Map.groupBy(entries, (entry) => JSON.stringify([entry.namespace, entry.service]))) {
    const [namespace, name] = JSON.parse(service) as [string, string]
    catalogue.replaceService(namespace, name, own)
  }

  const functions = createFunctionServices(sandbox, clock, catalogue)
  const hosted = await createHostedState(
    {
      functionStore: storage.functions,
      policyStore: storage.policies,
      policy,
      catalogue,
      backendOf: functions.backendOf,
      recordActivation: recordActivation(decisionLog, clock),
      channels: config.gateway.notifications.channels.map(({ name }) => name),
      clock,
    },
    (namespace, problems) =>
      log.error(
        { namespace, problems },
        'the stored policies do not fit the tools; what they cover is refused until they do',
      ),
  )

  let publicUrl = config.http.publicUrl?.replace(/\/+$/, '') ?? ''
  const upstreams = openUpstreams({
    storage,
    fetch: guardedFetch,
    events: identityEvents,
    clock,
    config: config.auth.upstream,
    publicUrl: () => publicUrl,
    log,
  })
  opened.push(() => upstreams.close())
  const approvalPorts: ApprovalPorts = {
    store: storage.approvals,
    record: recordApproval(decisionLog, () => notifications.wake()),
    ownerOf: (principalId) => registry.findPrincipal(principalId)?.ownerId ?? null,
    keys: storage.masterKey,
    clock,
    config: config.approvals,
  }
  const approvals = createApprovals(approvalPorts)
  const approvalLinks = createApprovalLinks(approvalPorts)
  const partsHealth = () =>
    checkParts({
      decisionLog,
      sandbox,
      sandboxHistory: sandboxWatch.history,
      policy,
      namespaces,
      role: storage.role,
      exporters: () => exporting.states(),
      publishing: () => publishing.states(),
      channels: () => notifications.states(),
      keeping: () => sweeper.problems(),
    })
  const refusing = (): string[] => [
    ...(decisionLog.health().ok ? [] : ['decision-log']),
    ...(sandbox.isReady() ? [] : ['sandbox']),
    ...(policy.isWorking() ? [] : ['policy-engine']),
    ...(storage.role.lost() === null ? [] : ['database']),
  ]
  const shadow = await createShadowMode({
    store: storage.shadows,
    decisionLog,
    catalogue,
    vocabulary: hosted.vocabulary,
    clock,
    onFailure: (what, error) => log.error({ err: error }, what),
  })
  opened.push(() => shadow.close())
  const recording = await openRecording({ store: storage.recordings, decisionLog, config: config.gateway, clock })
  const notifications = await openNotifications({
    config: config.gateway.notifications,
    approvalChannels: config.approvals.notify,
    decisionLog,
    positions: storage.logPositions,
    fetch: guardedFetch,
    clock,
    log,
  })
  opened.push(() => notifications.close())
  const alarming = { ...storage, decisionLog: wakeAfterAlarms(decisionLog, notifications.wake) }
  const sweeper = await openKeeping({
    storage: alarming,
    config,
    recording,
    namespaces: () => namespaces.list().map(({ name }) => name),
    clock,
    log,
  })
  opened.push(() => sweeper.close())
  const replays = createReplays()
  opened.push(() => replays.close())
  const management = createManagement({
    config,
    version,
    storage,
    clock,
    policy,
    catalogue,
    closures,
    registry,
    use,
    namespaces,
    functions,
    hosted,
    identityEvents,
    people,
    workloadIssuers,
    authorization: () => authorization?.server ?? null,
    upstreams,
    approvals,
    approvalLinks,
    shadow,
    replays,
    recording,
    sweeper,
    partsHealth,
    exporters: () => exporting.states(),
    publicUrl: () => publicUrl,
  })
  const withdrawals = createWithdrawals(registry, closures)
  const { verifier, refresh } = createTokenServices({
    config: config.auth,
    proofs: createProofs(config.auth.dpop, storage, clock),
    registry,
    sessions: people.sessions,
    localKeys: authorization?.server.keys ?? null,
    guardedFetch,
    masterKey: storage.masterKey,
    clock,
  })
  const quotas = await createCallQuotas({
    store: storage.usage,
    config: config.auth.limits,
    clock,
    onFailure: (error) => log.error({ err: error }, 'how much was used today could not be written'),
  })
  opened.push(() => quotas.close())
  const exporting = await openExporting({
    config: config.exporters,
    place: auditPlaceOf(config.dataDirectory, { masterKey: null, database: config.storage.database }),
    positions: storage.logPositions,
    lost: sweeper.lost,
    server: () => ({
      refusing: refusing(),
      log: decisionLog.health(),
      sandbox: { isReady: sandbox.isReady(), losses: sandboxWatch.history().losses },
    }),
    log,
    version,
  })
  opened.push(() => exporting.close())
  const publishing = await publishLog({ config: config.publishing, storage: alarming, fetch: guardedFetch, clock, log })
  opened.push(() => publishing.close())
  const places = watchPlaces({
    places: () => placesOf(exporting, publishing, notifications),
    decisionLog: alarming.decisionLog,
    clock,
    alarmAfterMs: config.gateway.notifications.alarmAfterSeconds * 1000,
    onFailure: (error) => log.error({ err: error }, 'that the log is not taken somewhere could not be recorded'),
  })
  opened.push(() => places.close())
  const usage = await openUsageLedger({
    store: storage.usageCounters,
    log: decisionLog,
    namespaces: namespaces.list().map(({ name }) => name),
    clock,
    maxCounters: config.gateway.maxUsageCounters,
    onFailure: (error) => log.error({ err: error }, 'what callers used could not be kept; the decision log has it'),
  })
  opened.push(() => usage.close())
  const runs = await openRunLedger({
    store: storage.runs,
    clock,
    idleMs: config.gateway.runIdleSeconds * 1000,
    onFailure: (error) => log.error({ err: error }, 'when labelled runs were last used could not be kept'),
  })
  opened.push(() => runs.close())
  const pipeline = createGateway(
    {
      catalogue,
      policy,
      decisionLog,
      schemas: functions.schemas,
      management,
      sandbox: functions.describeSandbox,
      notify: notifications.wake,
      withdrawals,
      runs,
      usage,
      approvals,
      refresh,
      shadow,
      recording,
      clock,
      config: config.gateway,
    },
    (call, error) => log.error({ call, err: error }, 'a call failed inside the server, or its output was withheld'),
  )
  const gateway = limitCalls(pipeline, { quotas, clock, refused: doorRecords.add })

  const files = connectionFiles(config.dataDirectory)
  // That of a server that was killed: nobody is to be sent a credential there.
  files.removeUrl()
  const operator = await ensureOperator(registry, files, identityEvents)
  const stopWatching = watchLog(decisionLog, log)
  opened.push(async () => stopWatching())
  const server = createHttpServer({
    gateway,
    authenticator: noteUse(createAuthenticator([createApiKeyVerifier(registry), verifier]), use, registry, clock),
    withdrawals,
    refresh,
    authorizationServers: (here) => [
      ...(authorization === null ? [] : [here]),
      ...config.auth.issuers.map(({ issuer }) => issuer),
    ],
    limits: createDoorLimits(config.auth.limits, clock),
    catalogue,
    config: config.http,
    sessions: { signIn: people.signIn, registry },
    mountedRoutes: [
      ...exporting.routes,
      ...pageRoutes({
        people,
        approvalLinks,
        gateway,
        registry,
        namespaces,
        catalogue,
        policy,
        connections: upstreams.connections,
        authorization: authorization?.server ?? null,
        config: config.auth,
        clock,
      }),
    ],
    clock,
    serverInfo: { name: 'mcpworks', version },
    health: (): Health => ({ ok: refusing().length === 0, refusing: refusing() }),
    isActive: () => storage.role.lost() === null,
    recordDoorRefusal: doorRecords.add,
    reportIncident: ({ id, where, error }) => log.error({ incident: id, where, err: error }, 'an incident'),
  })
  run = await recordRun({ version, config, sandbox, policy, namespaces, storage, clock, log })
  await standing.end()
  const { url } = await listen(server, config.http)
  if (publicUrl === '') publicUrl = url
  opened.push(() => server.close())
  files.writeUrl(url)
  opened.push(async () => files.removeUrl())

  return {
    url,
    isFirstStart,
    catalogue,
    namespaces: () => namespaces.list().map(({ name }) => name),
    gateway,
    registry,
    people,
    signInUrl: browserOrigin(publicUrl).safe ? `${browserOrigin(publicUrl).origin}/sign-in` : null,
    async firstOwnerLink() {
      if (people.anybodyCanSignIn() || !browserOrigin(publicUrl).safe) return null
      return linkUrl(publicUrl, (await people.links.make(null, operator.principal.id)).token)
    },
    operator,
    replaced: storage.role.replaced,
    close: closeAll,
  }
}
