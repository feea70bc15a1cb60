import type { InvocationEvents, RequestFacts } from '../../gateway/index.ts'
import type { Caller, JsonObject } from '../../kernel/index.ts'
import type { Session } from './sessions.ts'

/** One MCP request on its way, the same for every revision. */
export interface Exchange {
  readonly caller: Caller
  readonly namespace: string
  readonly era: 'modern' | 'legacy'
  readonly facts: RequestFacts
  readonly events: InvocationEvents
  /** Answers of the client to an earlier `input_required`; `null` on a first round. */
  readonly inputResponses: JsonObject | null
  /** As the client sent it, still sealed. */
  readonly requestState: string | null
  /** Session of a 2025-era client, `null` for others. */
  readonly session: Session | null
}

/** An error in JSON-RPC terms, thrown by methods and turned into the answer. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: JsonObject | undefined
  /** HTTP status; 200 for errors that belong to the method rather than to the transport. */
  readonly status: number
  /** For the HTTP answer, where it is no event stream yet. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: number,
    message: string,
    details: { data?: JsonObject; status?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.code = code
    this.data = details.data
    this.status = details.status ?? 200
    this.headers = details.headers ?? {}
  }
}
