import { z } from 'zod'
import { parseDatabaseUrl } from './postgres/database-url.ts'

/** PostgreSQL, where state is not kept in the data directory. */
const databaseConfigSchema = z.strictObject({
  url: z
    .string()
    .superRefine((text, context) => {
      const parsed = parseDatabaseUrl(text)
      if (!parsed.ok) context.addIssue({ code: 'custom', message: `must be ${parsed.problem}` })
    })
    .nullable()
    .default(null)
    .describe(
      'Secret: URL of a PostgreSQL database, postgres://user:password@host:5432/database, for state that several machines can take over (docs/postgresql.md). Without it, state is in the data directory. It holds a password: give it in a file that MCPWORKS_STORAGE_DATABASE_URL_FILE names.',
    ),
  caFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "File with the authorities of the database's certificate (PEM). Without it, those that Node trusts. The certificate and its name are always checked; only a unix socket and loopback addresses go without TLS, and loopback only without this file.",
    ),
  silentSeconds: z
    .number()
    .int()
    .min(2)
    .max(60)
    .default(10)
    .describe(
      'Seconds without an answer of the database after which this server refuses everything until it answers again. A server that stands by takes over up to twice as long after the machine of the active one vanished, and at once after its process ended.',
    ),
})

/** What storage is kept under. */
export const storageConfigSchema = z.strictObject({
  database: databaseConfigSchema.prefault({}),
  masterKey: z
    .base64url()
    .length(43)
    .nullable()
    .default(null)
    .describe(
      'Secret: 32 random bytes in base64url that wrap every data key: of records, signing keys and credentials for third-party servers. Without it, master.key in the data directory is used, and made at first start. A data directory opens under the key that it was made with and no other.',
    ),
})
