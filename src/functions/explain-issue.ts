import { nearestName } from '../kernel/index.ts'
import { z } from 'zod'

/** A zod issue in words. `key` is the unknown member, where that is what is wrong. */
export interface ExplainedIssue {
  readonly key: string | null
  readonly message: string
  readonly hint: string | null
}

/** Turns a zod issue into sentences with the nearest known name for every unknown key. */
export function explainIssue(issue: z.core.$ZodIssue, schema: z.ZodType): ExplainedIssue[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path)
    return issue.keys.slice(0, 20).map((key) => {
      const nearest = nearestName(key, known)
      return {
        key,
        message: `unknown key ${quoted(key)}`,
        hint: nearest === null ? `known here: ${known.join(', ')}` : `did you mean "${nearest}"?`,
      }
    })
  }
  const name = issue.path.at(-1)
  const subject = typeof name === 'string' ? `${quoted(name)}: ` : ''
  const inner = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  return [{ key: null, message: `${subject}${inner}`, hint: null }]
}

/** The keys that the schema knows at a path. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let current: z.core.$ZodType | undefined = unwrap(schema)
  for (const step of path) {
    if (current instanceof z.ZodObject) current = (current.shape as Record<string, z.core.$ZodType>)[String(step)]
    else if (current instanceof z.ZodRecord) current = current.valueType
    else if (current instanceof z.ZodArray) current = current.element
    else return []
    current = unwrap(current)
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : []
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let current = schema
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodNullable ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap()
  }
  return current
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)
}
