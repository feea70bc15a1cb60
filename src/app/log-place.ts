import type { Config } from '../config/index.ts'
import type { AuditReaderOptions, DecisionReaderOptions } from '../storage/index.ts'
import { masterKeyOf } from './master-key-of.ts'

/** Where the decision log is, and the master key where it is configured. */
export type LogPlace = DecisionReaderOptions

/** What the configuration says of storage, as far as it tells where the log is. Without a database: in the data directory. */
export type LogStorage = Pick<Config['storage'], 'masterKey'> & Partial<Pick<Config['storage'], 'database'>>

/** The place that the configuration gives. */
export function logPlaceOf({ dataDirectory, storage }: { dataDirectory: string; storage: LogStorage }): LogPlace {
  const { url = null, caFile = null } = storage.database ?? {}
  const masterKey = masterKeyOf({ storage })
  return { dataDirectory, masterKey, ...(url === null ? {} : { database: { url, caFile } }) }
}

/** The same for whoever reads without the master key, too. */
export function auditPlaceOf(dataDirectory: string, storage: LogStorage): AuditReaderOptions {
  const { masterKey, ...place } = logPlaceOf({ dataDirectory, storage })
  return masterKey === null ? place : { ...place, masterKey }
}
