import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock, type Clock } from '../../src/kernel/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { reusedPostgresDatabase } from '../support/postgres-database.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** A place where storage is kept, and can be opened again after it was closed. */
export interface StoragePlace {
  open(clock?: Clock): Promise<Storage>
}

/** The databases that the suites of this folder are run on by the running kind of tests; all, where it names none. */
export const wanted = ({ name }: { readonly name: string }): boolean =>
  [undefined, name].includes(process.env['MCPWORKS_TEST_STORAGE'])

const all: readonly { readonly name: string; readonly place: () => StoragePlace }[] = [
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
      const dataDirectory = join(temporaryDirectory(), 'data')
      let url: Promise<string> | null = null
      return {
        async open(clock = systemClock) {
          url ??= reusedPostgresDatabase()
          const postgres = { url: await url, caFile: null, silentMs: 10_000 }
          return openStorage({ dataDirectory, clock, postgres })
        },
      }
    },
  },
]

/** Every implementation of the storage ports that is wanted. The suites of this folder run against each of them. */
export const implementations = all.filter(wanted)

/** Opens a place for the running test and closes it after. */
export async function opened(place: StoragePlace): Promise<Storage> {
  const storage = await place.open()
  onTestFinished(() => storage.close())
  return storage
}
