import { createHash } from 'node:crypto'
import { PublishFailure, type CheckpointSink } from '../audit/index.ts'
import { signWebhook, webhookKey } from '../egress/index.ts'
import type { PublishingPorts } from './publishing-ports.ts'

const timeoutMs = 15_000
const maxAnswerBytes = 64 * 1024

/**
 * Sends each checkpoint by POST, signed as the Standard Webhooks specification says. The id is one of the checkpoint
 * itself, so that a receiver knows one that comes again.
 */
export function openCheckpointWebhook(
  { url, secret }: { readonly url: string; readonly secret: string },
  { fetch, clock, networks, signal }: Pick<PublishingPorts, 'fetch' | 'clock' | 'networks' | 'signal'>,
): CheckpointSink {
  const key = webhookKey(secret)
  return {
    name: 'checkpoint webhook',
    async take(checkpoints) {
      for (const { namespace, period, size, timeMs, note } of checkpoints) {
        const data = { namespace, period, size, time: new Date(timeMs).toISOString(), checkpoint: note }
        const body = JSON.stringify({ type: 'log.checkpoint', data })
        const id = createHash('sha256').update(note).digest('hex')
        const headers = { 'content-type': 'application/json', ...signWebhook(key, id, clock.nowMs(), body) }
        const policy = { purpose: 'publishing', maxBytes: maxAnswerBytes, timeoutMs, allow: { networks } }
        const outcome = await fetch(url, { method: 'POST', headers, body, signal }, policy)
        if (!outcome.ok) throw new PublishFailure(`it cannot be reached (${outcome.reason})`)
        if (outcome.status < 200 || outcome.status > 299)
          throw new PublishFailure(`it answers with status ${outcome.status}`)
      }
      return { status: 'taken' }
    },
  }
}
