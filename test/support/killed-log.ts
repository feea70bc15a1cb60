import { verifyDecisionLog, type AuditReader } from '../../src/audit/index.ts'
import type { JsonObject } from '../../src/kernel/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage, type StorageOptions } from '../../src/storage/index.ts'
import { killUnderLoad } from './kill-under-load.ts'

/** A place of storage that processes are killed on. */
export interface KilledPlace {
  /** What is started; the load as it stands in the sources, where nothing is said. */
  readonly script?: string
  /** What a process opens it with. */
  readonly storage: JsonObject & Omit<StorageOptions, 'clock'>
  /** `null` before there is a log. */
  readonly reader: () => Promise<AuditReader | null>
}

/** What a place holds after its processes were killed, against what they had done. */
export interface KilledLog {
  readonly kills: number
  /** Kills before the storage was open. */
  readonly whileOpening: number
  readonly ran: number
  readonly answered: number
  /** Effects without a durable decision that allowed them. */
  readonly unrecorded: readonly string[]
  /** Answers that were given and whose outcome is not there. */
  readonly lost: readonly string[]
  /** The first thing that verification found after each kill. */
  readonly problems: readonly string[]
  /** Calls of which a later start says that their end is not known. */
  readonly abandoned: number
  /** Allowed calls of which nothing says how they ended, after the last start. */
  readonly open: number
}

/** Kills a process after each of these many lines of what it says, and looks at the log after each kill. */
export async function killAndLook(place: KilledPlace, afterLines: readonly number[]): Promise<KilledLog> {
  const ran: string[] = []
  const answered: string[] = []
  const problems: string[] = []
  let whileOpening = 0
  for (const lines of afterLines) {
    const killed = await killUnderLoad(place.storage, lines, place.script)
    ran.push(...killed.ran)
    answered.push(...killed.answered)
    if (!killed.opened) whileOpening += 1
    const found = await problemOf(place)
    if (found !== null) problems.push(`after a kill at ${lines}: ${found}`)
  }
  const storage = await openStorage({ ...place.storage, clock: systemClock })
  await storage.close()
  const found = await problemOf(place)
  if (found !== null) problems.push(`after the last start: ${found}`)
  const { allowed, ended, abandoned } = await callsOf(place)
  return {
    kills: afterLines.length,
    whileOpening,
    ran: ran.length,
    answered: answered.length,
    unrecorded: ran.filter((call) => !allowed.has(call)),
    lost: answered.filter((call) => !ended.has(call)),
    problems,
    abandoned: abandoned.size,
    open: [...allowed].filter((call) => !ended.has(call) && !abandoned.has(call)).length,
  }
}

async function problemOf(place: KilledPlace): Promise<string | null> {
  const reader = await place.reader()
  if (reader === null) return null
  try {
    const { ok, firstProblem } = await verifyDecisionLog({ reader })
    return ok ? null : JSON.stringify(firstProblem)
  } finally {
    await reader.close()
  }
}

/** Calls by what their records say of them. */
async function callsOf(place: KilledPlace): Promise<Record<'allowed' | 'ended' | 'abandoned', Set<string>>> {
  const reader = await place.reader()
  const calls = { allowed: new Set<string>(), ended: new Set<string>(), abandoned: new Set<string>() }
  if (reader === null) return calls
  try {
    for (let next = 0; ;) {
      const rows = await reader.records(next, 1000)
      for (const { kind, call, json } of rows) {
        if (kind === 'decision' && json.includes('"effect":"allow"')) calls.allowed.add(call)
        if (kind === 'outcome') calls.ended.add(call)
        if (kind === 'abandoned') calls.abandoned.add(call)
      }
      const last = rows.at(-1)
      if (last === undefined) return calls
      next = last.seq + 1
    }
  } finally {
    await reader.close()
  }
}
