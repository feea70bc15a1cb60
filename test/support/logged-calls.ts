import { join } from 'node:path'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { decisionDraft, outcomeDraft } from './record-drafts.ts'

/** Writes a log of `pairs` calls, each fifth of them in `side` and the others in `main`. Gives the data directory. */
export async function logCalls(directory: string, pairs: number): Promise<string> {
  const dataDirectory = join(directory, 'data')
  const storage = await openStorage({ dataDirectory, clock: systemClock })
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
