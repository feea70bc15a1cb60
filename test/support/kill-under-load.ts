import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'

const asItStands = fileURLToPath(new URL('./pipeline-load.ts', import.meta.url))

/** What a process that was killed had done, as far as it could say. */
export interface KilledRun {
  /** Calls whose effect took place. */
  readonly ran: readonly string[]
  /** Calls whose answer was given. */
  readonly answered: readonly string[]
  /** Whether its storage was open. */
  readonly opened: boolean
}

/**
 * Starts agents at work on a place of storage and kills them with SIGKILL once they have said `lines` lines more than
 * that they begin: 0 is in the middle of opening.
 */
export async function killUnderLoad(
  storage: JsonObject,
  lines: number,
  script: string = asItStands,
): Promise<KilledRun> {
  const child = spawn(process.execPath, [script, JSON.stringify(storage)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const ran: string[] = []
  const answered: string[] = []
  let opened = false
  let said = -1
  for await (const line of createInterface({ input: child.stdout })) {
    // The last line may have been cut off by the kill, and then it was not said.
    const word: unknown = line.endsWith('}') ? JSON.parse(line) : null
    if (!isJsonObject(word)) continue
    if (word['refused'] !== undefined) throw new Error(`a call was refused: ${line}`)
    if (typeof word['ran'] === 'string') ran.push(word['ran'])
    if (typeof word['answered'] === 'string') answered.push(word['answered'])
    if (word['state'] === 'opened') opened = true
    if (++said === lines) child.kill('SIGKILL')
  }
  const [, signal] = (await closed) as [number | null, string | null]
  if (signal !== 'SIGKILL') throw new Error('it ended by itself')
  return { ran, answered, opened }
}
