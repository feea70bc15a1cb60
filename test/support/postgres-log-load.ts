// A process that appends to a log on PostgreSQL as fast as it can and says on stdout what was acknowledged. Made to be
// killed. Argument: JSON with url, masterKey (base64), publicKeyPath, callers, namespace.
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/kernel/index.ts'
import { openPostgresLog } from '../../src/storage/index.ts'
import { decisionDraft, outcomeDraft } from './record-drafts.ts'

const { url, masterKey, publicKeyPath, callers, namespace } = JSON.parse(process.argv[2] ?? '') as {
  readonly url: string
  readonly masterKey: string
  readonly publicKeyPath: string
  readonly callers: number
  readonly namespace: string
}
const { decisionLog } = await openPostgresLog({
  database: { url, caFile: null },
  masterKey: Buffer.from(masterKey, 'base64'),
  publicKeyPath,
  clock: systemClock,
})

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

async function work(caller: number): Promise<never> {
  for (;;) {
    const decision = decisionDraft({ namespace: caller % 2 === 0 ? namespace : 'shared' })
    say(await decisionLog.append(decision))
    say(await decisionLog.append(outcomeDraft(decision)))
  }
}
await Promise.all(Array.from({ length: callers }, (_, caller) => work(caller)))
