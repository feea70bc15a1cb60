import { z } from 'zod'
import { peopleConfigSchema } from './people/config.ts'
import { workloadConfigSchema } from './workload/config.ts'

/** Settings of identity: who may enter, and how that is proved. */
export const authConfigSchema = z.strictObject({
  people: peopleConfigSchema.prefault({}),
  workload: workloadConfigSchema.prefault({}),
})
