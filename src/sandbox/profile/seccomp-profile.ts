import { z } from 'zod'
import seccompJson from './seccomp.json' with { type: 'json' }

const conditionSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('in'), arg: z.int().min(0).max(5), values: z.array(z.int()).min(1) }),
  z.strictObject({ op: z.literal('masked_eq'), arg: z.int().min(0).max(5), mask: z.int(), value: z.int() }),
  z.strictObject({ op: z.literal('mask_clear'), arg: z.int().min(0).max(5), mask: z.int() }),
  z.strictObject({ op: z.literal('zero64'), arg: z.int().min(0).max(5) }),
])

const errnoSchema = z.enum(['EPERM', 'EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP'])

const ruleSchema = z.union([
  z.strictObject({
    when: z.array(conditionSchema).min(1),
    /** Where these hold and the others do not, the call is answered as done and is not made. */
    done: z.array(conditionSchema).min(1).optional(),
    else: errnoSchema,
    why: z.string(),
  }),
  z.strictObject({ any: z.array(z.array(conditionSchema).min(1)).min(1), else: errnoSchema, why: z.string() }),
])

const layerSchema = z.strictObject({
  why: z.string(),
  allow: z.array(z.string()),
  args: z.record(z.string(), ruleSchema),
})

const profileSchema = z.strictObject({
  arch: z.string(),
  x32: z.literal('kill'),
  default: z.literal('EPERM below 424, ENOSYS from 424 up'),
  kill_action: z.literal('SECCOMP_RET_KILL_PROCESS'),
  allow: z.array(z.string()),
  args: z.record(z.string(), ruleSchema),
  /** Answered as done, and not made. */
  done: z.strictObject({ calls: z.array(z.string()), why: z.string() }),
  errno: z.record(z.string(), errnoSchema),
  kill: z.array(z.string()),
  profiles: z.strictObject({ start: layerSchema, zygote: layerSchema, python: layerSchema, bun: layerSchema }),
})

/** One comparison of one system-call argument. All but `zero64` look at the low 32 bits, as the kernel does for these calls. */
export type SeccompCondition = z.infer<typeof conditionSchema>
/** When a call is allowed, by its arguments; the error it gets otherwise. */
export type SeccompRule = z.infer<typeof ruleSchema>
/** The system-call policy: one base list, and what each profile changes in it. */
export type SeccompProfile = z.infer<typeof profileSchema>
/** Names of the filters that can be made. */
export type FilterName = keyof SeccompProfile['profiles']
/** An error number by name. */
export type ErrnoName = z.infer<typeof errnoSchema>

/** `seccomp.json`, checked: an unknown member or operator is refused rather than skipped. */
export const seccompProfile: SeccompProfile = profileSchema.parse(seccompJson)
