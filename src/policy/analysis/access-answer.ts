import type { JsonObject } from '../../kernel/index.ts'
import type { PolicyDecision, PolicyRequest } from '../decision.ts'

/** "Can this agent ever call this tool?" */
export interface AccessQuestion {
  readonly principal: PolicyRequest['principal']
  /** The tool's name, without its namespace. */
  readonly tool: string
  readonly inputSchema: JsonObject
  /** Arguments that fit the input schema, to begin with. */
  readonly arguments: JsonObject
  /** Circumstances to begin with. */
  readonly context: PolicyRequest['context']
  /** Whether arguments fit the input schema. */
  readonly fits: (args: JsonObject) => boolean
}

/** The answer. `steps` and `tried` tell how much was looked at: choices in conditions, and calls that were decided. */
export type AccessAnswer = { readonly steps: number; readonly tried: number } & (
  | { readonly answer: 'yes'; readonly request: PolicyRequest; readonly decision: PolicyDecision }
  /** Proven: no call can make a permit apply and no forbid. */
  | { readonly answer: 'no'; readonly because: readonly AccessObstacle[] }
  /** Nothing was found within the bounds, and nothing was proven. */
  | { readonly answer: 'unknown'; readonly bounds: { readonly steps: number; readonly calls: number } }
)

/** Why a permit never lets the agent through. */
export interface AccessObstacle {
  /** `null` where no permit speaks of this agent and this tool. */
  readonly permit: string | null
  readonly why: 'no-permit' | 'misfit' | 'never-true' | 'always-forbidden'
  /** Forbids that stand against it. */
  readonly forbids: readonly string[]
}
