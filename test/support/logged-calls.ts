import { join } from 'node:path'
import type { Clock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { decisionDraft, outcomeDraft } from './record-drafts.ts'

/** The times of what `logCalls` writes: milliseconds apart, all in one month. */
export const loggedPeriod = '2026-03'

/** Writes a log of `pairs` calls, each fifth of them in `side` and the others in `main`. Gives the data directory. */
export async function logCalls(
  directory: string,
  pairs: number,
  clock: Clock = clockIn(loggedPeriod),
): Promise<string> {
  const dataDirectory = join(directory, 'data')
  const storage = await openStorage({ dataDirectory, clock })
  const call = async (position: number): Promise<void> => {
    const decision = decisionDraft({ namespace: position % 5 === 0 ? 'side' : 'main' })
    await storage.decisionLog.append(decision)
    await storage.decisionLog.append(outcomeDraft(decision))
  }
  for (let done = 0; done < pairs; done += 30)
    await Promise.all(Array.from({ length: Math.min(30, pairs - done) }, (_, position) => call(done + position)))
  await storage.close()
  return dataDirectory
}

/** A clock that starts in the middle of a month. */
export function clockIn(period: string): Clock {
  let nowMs = Date.parse(`${period}-15T12:00:00Z`)
  return { nowMs: () => ++nowMs, monotonicMs: () => performance.now() }
}
