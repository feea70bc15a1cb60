import { expect, onTestFinished } from 'vitest'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import type { LogPlace, OpenLog } from './decision-log-places.ts'

export const day = 86_400_000
export const start = Date.UTC(2026, 0, 10)

/** A log whose clock the test moves, with calls of two principals on two days. */
export async function keptLog(where: LogPlace) {
  const now = { ms: start }
  const clock = { nowMs: () => now.ms, monotonicMs: () => now.ms }
  const storage = await where.open(clock)
  const state = { open: true }
  const close = async () => {
    if (!state.open) return
    state.open = false
    await storage.close()
  }
  onTestFinished(close)
  const { decisionLog, keeper } = storage
  const call = async (principal: string, namespace = 'demo', onBehalfOf: string[] = []) => {
    const made = decisionDraft({ principal, namespace, input: `{"of":"${principal}"}` })
    const decision = { ...made, pre: { ...made.pre, principal: { ...made.pre.principal, onBehalfOf } } }
    const decided = await decisionLog.append(decision)
    const subject = onBehalfOf.at(-1) ?? principal
    const ended = await decisionLog.append(
      outcomeDraft(decision, { principal: subject, output: `{"for":"${principal}"}` }),
    )
    return { call: decision.call, decided, ended }
  }
  const { verify, spoil } = where
  return { now, storage, decisionLog, keeper, call, verify, spoil, close }
}

/** What is stored beside a record, `null` where it cannot be read. */
export async function body(storage: OpenLog, record: { readonly id: string }, part: 'input' | 'output') {
  return (await storage.decisionLog.readBody(record.id, part))?.body ?? null
}

/** A hold on one principal, or on everything. */
export const hold = (subject: string | null, namespace = 'demo') => ({
  id: `hold-${subject ?? 'all'}`,
  namespace,
  subject,
  reason: 'a case',
  placedBy: 'operator',
  placedMs: start,
})

/** Waits until so many records of a namespace are under a signed checkpoint. */
export async function signed({ decisionLog }: OpenLog, namespace: string, size: number): Promise<void> {
  const [record] = await decisionLog.read({ namespace, limit: 1, afterIndex: size - 2 })
  if (record === undefined) throw new Error(`there are not ${size} records`)
  await expect.poll(async () => (await decisionLog.prove(record.id))?.checkpoint, { timeout: 10_000 }).not.toBeNull()
}
