import { z } from 'zod'
import { issuerConfigSchema } from './issuer-config.ts'
import { trustIssuers } from './trust-issuers.ts'

/** Settings of workload identity. */
export const workloadConfigSchema = z.strictObject({
  issuers: z
    .array(issuerConfigSchema)
    .max(50)
    .default([])
    .superRefine((issuers, context) => {
      for (const { path, message } of trustIssuers(issuers).problems)
        context.addIssue({ code: 'custom', path, message })
    })
    .describe(
      'Issuers whose assertions are believed. Each only says who is asking: what a workload may have is said by bindings (`mcpworks binding`), and without one it gets nothing. See docs/identity-workloads.md.',
    ),
  maxActors: z
    .number()
    .int()
    .min(1)
    .max(8)
    .default(4)
    .describe('Longest chain of agents that act for one another by token exchange (RFC 8693).'),
})

/** Settings of workload identity, validated. */
export type WorkloadConfig = z.output<typeof workloadConfigSchema>
