import { z } from 'zod'
import { authorizationServerConfigSchema } from './authorization-server/config.ts'
import { limitsConfigSchema } from './limits/config.ts'
import { peopleConfigSchema } from './people/config.ts'
import {
  dpopConfigSchema,
  introspectionConfigSchema,
  issuersConfigSchema,
  tokensConfigSchema,
} from './resource-server/config.ts'
import { workloadConfigSchema } from './workload/config.ts'
import { upstreamConfigSchema } from './upstream/config.ts'

/** Settings of identity: who may enter, and how that is proved. */
export const authConfigSchema = z.strictObject({
  issuers: issuersConfigSchema,
  introspection: introspectionConfigSchema.prefault({}),
  tokens: tokensConfigSchema.prefault({}),
  dpop: dpopConfigSchema.prefault({}),
  limits: limitsConfigSchema.prefault({}),
  people: peopleConfigSchema.prefault({}),
  server: authorizationServerConfigSchema.prefault({}),
  workload: workloadConfigSchema.prefault({}),
  upstream: upstreamConfigSchema.prefault({}),
})
