import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller, ErrorCode } from '../../kernel/index.ts'
import type { RequestHead } from '../request-head.ts'

/** An authenticated POST to a namespace that the caller may enter. */
export interface McpRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  readonly caller: Caller
  readonly namespace: string
  /** Bytes of the body, once it was read. */
  readonly bodyBytes?: number
  /** The caller as the credential says now, `null` where it is no good any more. For streams that stay open. */
  readonly authenticateAgain: () => Promise<Caller | null>
  /** Called for what is refused before a method is reached. */
  readonly refused: (code: ErrorCode, reason: string) => void
}
