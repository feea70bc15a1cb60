import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DecisionLog, RecordProver } from '../../src/audit/index.ts'
import { systemClock, type Clock } from '../../src/kernel/index.ts'
import { openPostgresLog, openStorage } from '../../src/storage/index.ts'
import { reusedPostgresDatabase } from '../support/postgres-database.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** An open decision log. */
export interface OpenLog {
  readonly decisionLog: DecisionLog & RecordProver
  close(): Promise<void>
}

/** A place where a decision log is kept, and can be opened again after it was closed. */
export interface LogPlace {
  open(clock?: Clock): Promise<OpenLog>
}

/** Every implementation of the decision log. */
export const logImplementations: readonly { readonly name: string; readonly place: () => LogPlace }[] = [
  {
    name: 'SQLite',
    place() {
      const dataDirectory = join(temporaryDirectory(), 'data')
      return { open: (clock = systemClock) => openStorage({ dataDirectory, clock }) }
    },
  },
  {
    name: 'PostgreSQL',
    place() {
      const [url, masterKey] = [reusedPostgresDatabase(), randomBytes(32)]
      const publicKeyPath = join(temporaryDirectory(), 'audit.pub')
      return {
        async open(clock = systemClock) {
          return openPostgresLog({ database: { url: await url, caFile: null }, masterKey, publicKeyPath, clock })
        },
      }
    },
  },
]

/** Opens a place for the running test and closes it after. */
export async function openedLog(place: LogPlace): Promise<OpenLog> {
  const log = await place.open()
  onTestFinished(() => log.close())
  return log
}
