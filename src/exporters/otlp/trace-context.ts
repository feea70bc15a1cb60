import { createHash } from 'node:crypto'

/** Where a span that somebody else made is. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
}

/**
 * Reads a `traceparent` (W3C Trace Context level 1, section 3.2) as a caller sent it. `null` for what is none: only what
 * is well formed goes on to a receiver. Later versions may go on after the flags, version ff is none.
 */
export function readTraceparent(text: string | null): TraceContext | null {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(text ?? '')
  if (match === null) return null
  const [, version = '', traceId = '', spanId = '', more] = match
  if (version === 'ff' || (version === '00' && more !== undefined)) return null
  return /^0+$/.test(traceId) || /^0+$/.test(spanId) ? null : { traceId, spanId }
}

/** The id of the trace that a call begins, 32 hexadecimal digits: the same each time it is asked for. */
export function traceIdOf(call: string): string {
  return idOf('trace', call).slice(0, 32)
}

/** The id of a span, 16 hexadecimal digits, so that one which is sent again is the same span. `of` is the id of a call or of a record. */
export function spanIdOf(kind: 'call' | 'decision', of: string): string {
  return idOf(kind, of).slice(0, 16)
}

function idOf(kind: string, of: string): string {
  return createHash('sha256').update(`mcpworks ${kind} ${of}`).digest('hex')
}
