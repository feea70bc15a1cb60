import { z } from 'zod'

const many = (one: z.ZodType<string>) => z.union([one, z.array(one).min(1).max(20)])

const who = z.string().regex(/^(?:anyone|(?:agent|group) [a-z][a-z0-9-]{0,38}[a-z0-9])$/, {
  error: 'say who: "group NAME", "agent NAME" or "anyone"',
})

const which = z.string().regex(/^(?:any tool|service [a-z][a-z0-9-]{0,38}[a-z0-9]|[A-Za-z0-9_-]{1,128})$/, {
  error: 'say which: the name of a tool as agents see it, "service NAME" or "any tool"',
})

const condition = z.string().min(1).max(2000)
const sentence = z.string().min(1).max(500)

const ruleSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{0,55}$/, { error: 'an id is 1-56 of a-z, 0-9 and hyphen, a letter first' }),
  allow: many(who).optional(),
  deny: many(who).optional(),
  tools: many(which),
  /** Tools of those that the rule leaves alone. */
  except: many(which).optional(),
  /** Cedar expressions that must all be true. `args`, `hour`, `authn` and the like need no `context.` in front. */
  when: many(condition).optional(),
  /** Cedar expressions of which none may be true. */
  unless: many(condition).optional(),
  reason: sentence.optional(),
  remedy: sentence.optional(),
  obligation: sentence.optional(),
})

/** `policies/<name>.rules.yaml`: short rules, compiled to Cedar. */
export const rulesFileSchema = z.strictObject({ rules: z.array(ruleSchema).min(1).max(1000) })

/** One short rule as written. Has exactly one of `allow` and `deny`, which the schema cannot say. */
export type ShortRule = z.output<typeof ruleSchema>
