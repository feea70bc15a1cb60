import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { DatabaseSync } from 'node:sqlite'
import {
  verifyDecisionLog,
  type DecisionLog,
  type LogSigningKey,
  type RecordKeeper,
  type RecordProver,
  type AuditReader,
  type VerifyOptions,
  type VerifyReport,
} from '../../src/audit/index.ts'
import { systemClock, type Clock } from '../../src/kernel/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { postgresLogPlace } from '../support/postgres-log-place.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { wanted } from './implementations.ts'

/** An open decision log. */
export interface OpenLog {
  readonly decisionLog: DecisionLog & RecordProver
  readonly keeper: RecordKeeper
  readonly logKey: LogSigningKey
  close(): Promise<void>
}

/** What somebody with access to the tables does to them. */
export type Spoiling =
  /** A statement that all of them understand. */
  | string
  /** Of the record with an id. */
  | { readonly what: 'delete-bodies'; readonly id: string }
  | { readonly what: 'change-hash' | 'longer-hash'; readonly index: number }

/** A place where a decision log is kept, and can be opened again after it was closed. */
export interface LogPlace {
  open(clock?: Clock): Promise<OpenLog>
  verify(options?: Omit<VerifyOptions, 'reader'>): Promise<VerifyReport>
  reader(): Promise<AuditReader>
  /** Changes what is stored behind the back of the log. */
  spoil(change: Spoiling): Promise<void>
}

const all: readonly { readonly name: string; readonly place: () => LogPlace }[] = [
  {
    name: 'SQLite',
    place() {
      const dataDirectory = join(temporaryDirectory(), 'data')
      return {
        open: (clock = systemClock) => openStorage({ dataDirectory, clock }),
        reader: async () => openAuditReader({ dataDirectory }),
        async verify(options = {}) {
          const reader = openAuditReader({ dataDirectory })
          try {
            return await verifyDecisionLog({ reader, ...options })
          } finally {
            await reader.close()
          }
        },
        async spoil(change) {
          const database = new DatabaseSync(join(dataDirectory, 'audit.db'), { enableForeignKeyConstraints: false })
          database.exec(
            statementOf(change, {
              place: 'seq',
              zeros: 'zeroblob(32)',
              longer: 'CAST(leaf_hash || zeroblob(1) AS BLOB)',
            }),
          )
          database.close()
        },
      }
    },
  },
  {
    name: 'PostgreSQL',
    place() {
      const made = postgresLogPlace()
      return {
        open: async (clock = systemClock) => (await made).open(clock),
        verify: async (options) => (await made).verify(options),
        reader: async () => (await made).reader(),
        async spoil(change) {
          const words = {
            place: '(writer, pos)',
            zeros: "decode(repeat('00', 32), 'hex')",
            longer: "leaf_hash || decode('00', 'hex')",
          }
          await (await made).sql(`SET session_replication_role = replica; ${statementOf(change, words)}`)
        },
      }
    },
  },
]

/** Every implementation of the decision log that is wanted. */
export const logImplementations = all.filter(wanted)

/** `place` names the columns that say which record bodies belong to. */
function statementOf(
  change: Spoiling,
  { place, zeros, longer }: { readonly place: string; readonly zeros: string; readonly longer: string },
): string {
  if (typeof change === 'string') return change
  switch (change.what) {
    case 'delete-bodies':
      return `DELETE FROM bodies WHERE ${place} = (SELECT ${place.replaceAll(/[()]/g, '')} FROM records WHERE id = '${change.id}')`
    case 'change-hash':
      return `UPDATE records SET leaf_hash = ${zeros} WHERE idx = ${change.index}`
    case 'longer-hash':
      return `UPDATE records SET leaf_hash = ${longer} WHERE idx = ${change.index}`
  }
}

/** Opens a place for the running test and closes it after. */
export async function openedLog(place: LogPlace): Promise<OpenLog> {
  const log = await place.open()
  onTestFinished(() => log.close())
  return log
}
