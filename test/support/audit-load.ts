// A process that appends as fast as it can and says on stdout what was acknowledged. Made to be killed.
// Arguments: data directory, callers, pairs of decision and outcome each caller appends (0: without end).
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { decisionDraft, outcomeDraft } from './record-drafts.ts'

const [dataDirectory = '', callers = '1', pairs = '0'] = process.argv.slice(2)
const storage = await openStorage({ dataDirectory, clock: systemClock })

/** One write call a line, past every buffer of this process: what the parent can read was acknowledged before the kill. */
function say(line: unknown): void {
  for (;;) {
    try {
      writeSync(1, `${JSON.stringify(line)}\n`)
      return
    } catch (error) {
      // The parent has not read yet and the pipe is full.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
  }
}

say({ opened: true })

async function call(namespace: string): Promise<void> {
  const decision = decisionDraft({ namespace })
  say(await storage.decisionLog.append(decision))
  say(await storage.decisionLog.append(outcomeDraft(decision)))
}

const work = async (caller: number) => {
  for (let pair = 0; Number(pairs) === 0 || pair < Number(pairs); pair++) await call(caller % 2 === 0 ? 'even' : 'odd')
}
await Promise.all(Array.from({ length: Number(callers) }, (_, caller) => work(caller)))
await storage.close()
