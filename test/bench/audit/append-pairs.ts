import type { DecisionLog } from '../../../src/audit/index.ts'
import { decisionDraft, outcomeDraft } from '../../support/record-drafts.ts'
import { measure, type Measurement } from './measurement.ts'
import type { PairBytes } from './raw-inserts.ts'

/** Decisions with their outcomes through the log, by callers that wait for the one before they hand in the other. */
export async function appendPairs(
  log: DecisionLog,
  callers: number,
  pairs: number,
): Promise<{ pairs: Measurement; append: Measurement }> {
  const appends: number[] = []
  const work = async (count: number): Promise<number[]> => {
    const times: number[] = []
    for (let pair = 0; pair < count; pair++) {
      const start = performance.now()
      const decision = decisionDraft()
      await log.append(decision)
      appends.push(performance.now() - start)
      await log.append(outcomeDraft(decision))
      times.push(performance.now() - start)
    }
    return times
  }
  await Promise.all(Array.from({ length: callers }, () => work(Math.ceil(1000 / callers))))
  appends.length = 0
  const measured = await measure('pairs', callers, () => work(Math.ceil(pairs / callers)))
  return { pairs: measured, append: { ...measured, case: 'append', ...p50And99(appends) } }
}

function p50And99(times: readonly number[]): Pick<Measurement, 'p50_ms' | 'p99_ms'> {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3))
  return { p50_ms: at(0.5), p99_ms: at(0.99) }
}

/** What such a pair takes in the database, boxes of bodies included. */
export async function bytesOfPair(log: DecisionLog): Promise<PairBytes> {
  const decision = decisionDraft()
  await log.append(decision)
  await log.append(outcomeDraft(decision))
  const found = await log.read({ namespace: decision.namespace, call: decision.call, limit: 2 })
  const box = (bodies: readonly ({ readonly json: string } | null)[]): number =>
    bodies.reduce((sum, body) => sum + (body === null ? 0 : 21 + Buffer.byteLength(body.json)), 28)
  const text = (kind: string): number => Buffer.byteLength(found.find((record) => record.kind === kind)?.json ?? '')
  return {
    decision: text('decision') + box([decision.bodies.input, decision.bodies.engineInput]),
    outcome: text('outcome') + box([outcomeDraft(decision).bodies.output]),
  }
}
