import { z } from 'zod'
import { approvalsConfigSchema } from '../approvals/config.ts'
import { authConfigSchema } from '../auth/config.ts'
import { exportersConfigSchema } from '../exporters/config.ts'
import { gatewayConfigSchema } from '../gateway/config.ts'
import { HttpConfig } from '../http/config.ts'
import { publishingConfigSchema } from '../publishing/config.ts'
import { sandboxConfigSchema } from '../sandbox/config.ts'
import { storageConfigSchema } from '../storage/config.ts'

/** Everything that can be configured. The reference in `docs/configuration.md` is made from it. */
export const configSchema = z.strictObject({
  dataDirectory: z
    .string()
    .min(1)
    .describe(
      'Directory of all state: databases, keys, the operator credential. Made with mode 0700. Whoever can read it can act as the operator.',
    ),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error'])
        .default('info')
        .describe(
          'Least severity of lines that the server logs, as JSON on stderr. Credentials are never logged at any level.',
        ),
    })
    .prefault({}),
  http: HttpConfig.prefault({}),
  auth: authConfigSchema.prefault({}),
  gateway: gatewayConfigSchema.prefault({}),
  approvals: approvalsConfigSchema.prefault({}),
  exporters: exportersConfigSchema.prefault({}),
  publishing: publishingConfigSchema.prefault({}),
  sandbox: sandboxConfigSchema.prefault({}),
  storage: storageConfigSchema.prefault({}),
})

/** The whole configuration, validated. */
export type Config = z.output<typeof configSchema>
