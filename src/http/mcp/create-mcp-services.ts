import { randomBytes } from 'node:crypto'
import type { Catalogue, Gateway, Withdrawals } from '../../gateway/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { HttpConfig } from '../config.ts'
import { createParameterHeaderCheck } from './check-parameter-headers.ts'
import type { McpServices } from './mcp-services.ts'
import { createRequestStateSealer } from './request-state.ts'
import type { ServerInfo } from './server-facts.ts'
import { createSessions } from './sessions.ts'
import { createSubscriptions } from './subscriptions.ts'

const maxUsedStates = 100_000

/** What the endpoint is made of. */
export interface McpServiceParts {
  readonly gateway: Gateway
  readonly catalogue: Pick<Catalogue, 'onChange' | 'resolve'>
  readonly config: HttpConfig
  readonly clock: Clock
  readonly serverInfo: ServerInfo
  readonly withdrawals?: Withdrawals
  readonly everythingThroughSdk?: boolean
}

/** Makes what the MCP endpoints work with. Sessions and streams of whoever loses what let them in end at once. */
export function createMcpServices(
  { gateway, catalogue, config, clock, serverInfo, withdrawals, everythingThroughSdk = false }: McpServiceParts,
  incident: McpServices['incident'],
): McpServices {
  const sessions = createSessions({
    maxSessions: config.maxSessions,
    maxPerCredential: config.maxSessionsPerCredential,
    idleSeconds: config.sessionIdleSeconds,
    clock,
  })
  const subscriptions = createSubscriptions({ gateway, catalogue, config, serverInfo })
  withdrawals?.onChange(() => {
    subscriptions.closeWhere((caller, namespace) => withdrawals.isWithdrawn(caller) || withdrawals.isClosed(namespace))
    sessions.closeWhere(({ opener, namespace }) => withdrawals.isWithdrawn(opener) || withdrawals.isClosed(namespace))
  })
  return {
    gateway,
    config,
    serverInfo,
    everythingThroughSdk,
    sessions,
    catalogue,
    checkParameterHeaders: createParameterHeaderCheck(),
    subscriptions,
    sealer: createRequestStateSealer({
      key: config.requestStateKey === null ? randomBytes(32) : Buffer.from(config.requestStateKey, 'base64url'),
      lifetimeSeconds: config.requestStateSeconds,
      clock,
      maxUsed: maxUsedStates,
    }),
    incident,
  }
}
