import type { JsonObject } from '../kernel/index.ts'
import type { GatewayAnswer } from './gateway-answer.ts'

/**
 * Calls a tool of the same namespace on behalf of the same caller, as a request of its own with its own records.
 * Never rejects. The signal calls the inner call off.
 */
export type CallTool = (tool: string, args: JsonObject, signal: AbortSignal) => Promise<GatewayAnswer>
