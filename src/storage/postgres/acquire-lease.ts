import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { McpworksError } from '../../kernel/index.ts'
import { loadMasterKey, type DataDirectoryPaths } from '../data-directory.ts'
import { masterKeyOf } from '../master-key.ts'
import type { DatabaseOptions } from './database-options.ts'
import { Lease, type LeaseOptions } from './lease.ts'

/** The database of state, and what happens while another server is active on it. */
export interface PostgresOptions extends DatabaseOptions, Pick<LeaseOptions, 'silentMs' | 'onStandby' | 'signal'> {}

/**
 * Waits until this server is the active one. `masterKey` is the one that was configured; without it `master.key` of the
 * data directory is used, which is made only for a database that is new.
 * @throws McpworksError `storage_unavailable` where the database cannot be used, or was made under another master key
 */
export async function acquireLease(
  { url, caFile, silentMs, onStandby, signal }: PostgresOptions,
  paths: Pick<DataDirectoryPaths, 'masterKey'>,
  masterKey: Uint8Array | null,
): Promise<{ lease: Lease; masterKey: Uint8Array }> {
  let key = masterKey
  const lease = await Lease.acquire({
    database: { url, caFile },
    silentMs,
    host: hostname(),
    ...(onStandby === undefined ? {} : { onStandby }),
    ...(signal === undefined ? {} : { signal }),
    keyCheck(stored) {
      if (key === null && stored !== null && !existsSync(paths.masterKey)) throw otherKey()
      key ??= loadMasterKey(paths.masterKey, stored === null)
      const check = Buffer.from(masterKeyOf(key).derive('check of the database')).toString('hex')
      if (stored !== null && stored !== check) throw otherKey()
      return check
    },
  })
  if (key === null) throw new Error('the lease was taken without a look at the master key')
  return { lease, masterKey: key }
}

function otherKey(): McpworksError {
  return new McpworksError('storage_unavailable', {
    message:
      'The database was made under another master key. Give every server that shares it the same one: storage.masterKey (docs/postgresql.md).',
  })
}
