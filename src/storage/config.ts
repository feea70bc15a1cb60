import { z } from 'zod'

/** What storage is kept under. */
export const storageConfigSchema = z.strictObject({
  masterKey: z
    .base64url()
    .length(43)
    .nullable()
    .default(null)
    .describe(
      'Secret: 32 random bytes in base64url that wrap every data key: of records, signing keys and credentials for third-party servers. Without it, master.key in the data directory is used, and made at first start. A data directory opens under the key that it was made with and no other.',
    ),
})
