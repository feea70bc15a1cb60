import type { ApprovalLinks, Approvals } from '../../approvals/index.ts'
import {
  browserOrigin,
  linkUrl,
  type AuthorizationServer,
  type CredentialUse,
  type IdentityEvents,
  type IdentityRegistry,
  type NamespaceClosures,
  type People,
  type WorkloadIssuer,
} from '../../auth/index.ts'
import type { Config } from '../../config/index.ts'
import type { Backend, MutableCatalogue } from '../../gateway/index.ts'
import { approvalLinkUrl } from '../../http/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { PolicyEngine } from '../../policy/index.ts'
import type { Storage } from '../../storage/index.ts'
import type { Exporting } from '../exporters/open-exporting.ts'
import { explainCallFrom } from '../explain-call.ts'
import type { FunctionServices } from '../function-services.ts'
import type { HostedState } from '../hosted-state.ts'
import { analysisHandlers } from './analysis-handlers.ts'
import { applyHandler } from './apply-handler.ts'
import { approvalHandlers } from './approval-handlers.ts'
import { auditEventHandlers } from './audit-event-handlers.ts'
import { auditHandlers } from './audit-handlers.ts'
import { caseHandlers } from './case-handlers.ts'
import { bindingHandlers } from './binding-handlers.ts'
import { clientHandlers } from './client-handlers.ts'
import { closureHandlers } from './closure-handlers.ts'
import { createManagementBackend } from './create-management-backend.ts'
import { createOneAtATime } from './one-at-a-time.ts'
import { exporterHandlers } from './exporter-handlers.ts'
import { holdHandlers } from './hold-handlers.ts'
import { factHandler } from './fact-handler.ts'
import { functionHandlers } from './function-handlers.ts'
import { identityHandlers } from './identity-handlers.ts'
import { logHandlers } from './log-handlers.ts'
import { platformHandlers } from './platform-handlers.ts'
import { policyHandlers } from './policy-handlers.ts'
import { policyVersionHandlers } from './policy-version-handlers.ts'
import { quarantineHandlers } from './quarantine-handlers.ts'
import { recordingHandlers } from './recording-handlers.ts'
import { replayHandlers } from './replay-handlers.ts'
import { searchHandlers } from './search-handlers.ts'
import { shadowHandlers } from './shadow-handlers.ts'
import { templateHandler } from './template-handler.ts'
import { upstreamHandlers } from './upstream-handlers.ts'
import { userHandlers } from './user-handlers.ts'
import { whyNotHandler } from './why-not-handler.ts'
import { logPlaceOf } from '../log-place.ts'
import type { Namespaces } from '../namespaces.ts'
import type { Sweeper } from '../recording/start-sweeper.ts'
import type { Recording } from '../recording/open-recording.ts'
import type { Replays } from '../replay/run-replay.ts'
import type { ShadowMode } from '../shadow/create-shadow-mode.ts'
import type { UpstreamHandlerParts } from './upstream-handlers.ts'

/** What the management operations work on. */
export interface ManagementParts {
  readonly config: Config
  readonly version: string
  readonly storage: Storage
  readonly clock: Clock
  readonly policy: PolicyEngine
  readonly catalogue: MutableCatalogue
  readonly closures: NamespaceClosures
  readonly registry: IdentityRegistry
  readonly use: CredentialUse
  readonly namespaces: Namespaces
  readonly functions: FunctionServices
  readonly hosted: HostedState
  readonly identityEvents: IdentityEvents
  readonly people: People
  readonly workloadIssuers: readonly WorkloadIssuer[]
  readonly authorization: () => AuthorizationServer | null
  readonly upstreams: UpstreamHandlerParts
  readonly approvals: Approvals
  readonly approvalLinks: ApprovalLinks
  readonly shadow: ShadowMode
  readonly replays: Replays
  readonly exporters: Exporting['states']
  readonly recording: Recording
  readonly sweeper: Sweeper
  readonly partsHealth: Parameters<typeof platformHandlers>[2]
  /** Where clients reach this server, once it listens. */
  readonly publicUrl: () => string
}

/** A handler for every operation of the contract. Those that change what is in force in a namespace come one at a time. */
export function createManagement(parts: ManagementParts): Backend {
  const { config, version, storage, clock, policy, catalogue, closures, registry, use, namespaces, functions } = parts
  const { hosted, identityEvents, people, workloadIssuers, authorization, upstreams, approvals, approvalLinks } = parts
  const { shadow, replays, recording, sweeper, partsHealth, publicUrl } = parts
  const { decisionLog } = storage
  const casePorts = { decisionLog, policyStore: storage.policies, functionStore: storage.functions, catalogue }
  const oneAtATime = createOneAtATime()
  const hostedFunctions = functionHandlers({ hosted, namespaces, store: storage.functions, build: functions.build })
  const policyVersions = policyVersionHandlers({ policy, policyStore: storage.policies, hosted, clock })
  return createManagementBackend({
    ...identityHandlers({ registry, use, events: identityEvents, clock, hasNamespace: namespaces.has }),
    ...closureHandlers({ closures, events: identityEvents, hasNamespace: namespaces.has }),
    ...userHandlers({
      registry,
      people,
      policy,
      linkUrl: (token) => linkUrl(publicUrl(), token),
      clock,
    }),
    ...bindingHandlers({
      registry,
      issuers: workloadIssuers,
      tokenIssuers: config.auth.issuers.map(({ issuer }) => issuer),
      clock,
      here: () => ({ issuer: publicUrl(), tokenEndpoint: `${publicUrl()}/oauth/token` }),
    }),
    ...auditHandlers(decisionLog, clock, explainCallFrom(decisionLog), storage),
    ...caseHandlers(casePorts),
    ...quarantineHandlers(decisionLog, clock),
    ...whyNotHandler({ ...casePorts, policy, hosted, schemas: functions.schemas }),
    ...exporterHandlers(parts.exporters),
    ...auditEventHandlers({ decisionLog, clock, version }),
    ...searchHandlers(storage.logSearch),
    ...logHandlers({ reader: storage.trees, logKey: storage.logKey, cosignatures: storage.cosignatures }),
    ...policyHandlers({ policy, catalogue, registry, hosted, clock }),
    ...analysisHandlers({ policy, catalogue, registry, hosted, schemas: functions.schemas, clock }),
    ...factHandler({ catalogue, hosted }),
    ...templateHandler({ policy, catalogue, registry, hosted, clock }),
    ...replayHandlers({
      catalogue,
      hosted,
      policyStore: storage.policies,
      replays,
      log: logPlaceOf(config),
      clock,
    }),
    ...shadowHandlers({ policy, policyStore: storage.policies, catalogue, hosted, shadow, decisionLog, clock }),
    ...recordingHandlers({ recording, hasNamespace: namespaces.has }),
    ...holdHandlers({ keeper: storage.keeper, sweeper, registry, hasNamespace: namespaces.has, clock }),
    ...policyVersions,
    'policy.activate': oneAtATime<'policy.activate'>(policyVersions['policy.activate']),
    ...hostedFunctions,
    'function.add': oneAtATime<'function.add'>(hostedFunctions['function.add']),
    ...platformHandlers(namespaces, closures, partsHealth),
    ...clientHandlers({ registry, server: authorization, clock }),
    ...upstreamHandlers(upstreams),
    ...approvalHandlers({
      approvals,
      links: approvalLinks,
      registry,
      catalogue,
      linkUrl: (token) => approvalLinkUrl(browserOrigin(publicUrl()).origin, token),
    }),
    'state.apply': oneAtATime<'state.apply'>(
      applyHandler({
        registry,
        hosted,
        namespaces,
        policy,
        policyStore: storage.policies,
        build: functions.build,
        events: identityEvents,
        clock,
      }),
    ),
  })
}
