import type { Catalogue } from '../../gateway/index.ts'
import type { ParameterHeaderCheck } from './check-parameter-headers.ts'
import type { MethodServices } from './methods.ts'
import type { ServerInfo } from './server-facts.ts'
import type { Sessions } from './sessions.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What the endpoint works with. */
export interface McpServices extends MethodServices {
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly catalogue: Pick<Catalogue, 'resolve'>
  readonly checkParameterHeaders: ParameterHeaderCheck
  readonly serverInfo: ServerInfo
  /** Also calls of the new era, for the conformance suite to compare. */
  readonly everythingThroughSdk: boolean
  /** Takes an exception nobody expected and gives the id to tell the caller. */
  readonly incident: (where: string, error: unknown) => string
}
