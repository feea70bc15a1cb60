import type { IncomingMessage } from 'node:http'

/** The bytes of a request body, or why there are none. */
export type BodyResult =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: 'too-large' | 'aborted' }

/**
 * Reads a body of at most `limitBytes`. Counts what arrives, whatever Content-Length says, and stops at the limit.
 * After `too-large` the rest is unread: the connection must be closed.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<BodyResult> {
  const declared = request.headers['content-length']
  if (declared !== undefined && Number(declared) > limitBytes)
    return Promise.resolve({ ok: false, reason: 'too-large' })
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let total = 0
    let over = false
    request.on('data', (chunk: Buffer) => {
      if (over) return
      total += chunk.length
      if (total > limitBytes) {
        over = true
        request.pause()
        resolve({ ok: false, reason: 'too-large' })
        return
      }
      chunks.push(chunk)
    })
    request.on('end', () => {
      resolve({ ok: true, bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, total) })
    })
    request.on('error', () => resolve({ ok: false, reason: 'aborted' }))
    request.on('close', () => resolve({ ok: false, reason: 'aborted' }))
  })
}
