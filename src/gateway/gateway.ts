import type { Caller, JsonObject } from '../kernel/index.ts'
import type { Door } from '../policy/index.ts'
import type { InvocationEvents } from './backend.ts'
import type { EntryKind } from './catalogue.ts'
import type { Effect, RequestFacts } from './effect.ts'
import type { GatewayAnswer } from './gateway-answer.ts'
import type { Run } from './runs/run.ts'

/** One request on its way through the pipeline. */
export interface GatewayRequest {
  readonly caller: Caller
  readonly namespace: string
  readonly door: Door
  readonly effect: Effect
  readonly facts: RequestFacts
  /** The running call that makes this one. Only the pipeline itself gives it: no door has a way to. */
  readonly parent?: ParentCall
}

/** A running call that makes another on behalf of its own caller. */
export interface ParentCall {
  readonly call: string
  readonly run: Run
  /** How many calls wait for it, one inside the other. */
  readonly depth: number
  /** Names of the tools that its pinned definition declares to call. */
  readonly mayCall: readonly string[]
  /** Shared by all calls that one call of an agent causes. */
  readonly tree: { callsLeft: number }
}

/** The pipeline, as the doors see it. */
export interface Gateway {
  perform(request: GatewayRequest, events: InvocationEvents): Promise<GatewayAnswer>
  /** The definitions that the caller may see, by the same policies as `perform`. */
  list(caller: Caller, namespace: string, kind: EntryKind): readonly JsonObject[]
  /** Whether the caller may know of the namespace at all; unknown and forbidden are one answer. */
  mayEnter(caller: Caller, namespace: string): boolean
}
