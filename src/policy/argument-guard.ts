import type { JsonValue } from '../kernel/index.ts'
import { reservedKeys } from './argument-type.ts'
import type { CedarValueJson } from './cedar.ts'

/** Levels of objects and arrays that arguments may nest. Cedar's own JSON reader gives up at 128. */
const argumentDepthLimit = 32

/**
 * Looks through hostile arguments for what must not reach Cedar, visible to policies or not. Answers the fault as a
 * sentence that names no value, or `null`. Never recurses, so no input can exhaust the stack.
 *
 * Refused: the keys by which Cedar's JSON form smuggles in entities and extension values, nesting deeper than
 * `argumentDepthLimit`, strings and keys with a lone surrogate, numbers that are not finite.
 */
export function argumentFault(value: JsonValue): string | null {
  const pending: { readonly value: JsonValue; readonly depth: number }[] = [{ value, depth: 0 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const item = next.value
    if (typeof item === 'string') {
      if (!item.isWellFormed()) return 'The arguments hold a string that is not Unicode text (a lone surrogate).'
    } else if (typeof item === 'number') {
      if (!Number.isFinite(item)) return 'The arguments hold a number that is out of range.'
    } else if (typeof item === 'object' && item !== null) {
      const depth = next.depth + 1
      if (depth > argumentDepthLimit) return `The arguments nest more than ${argumentDepthLimit} deep.`
      if (Array.isArray(item)) {
        for (const element of item) pending.push({ value: element, depth })
        continue
      }
      for (const key of Object.keys(item)) {
        if (reservedKeys.has(key)) return `The arguments hold the key "${key}", which is reserved.`
        if (!key.isWellFormed()) return 'The arguments hold a key that is not Unicode text (a lone surrogate).'
        pending.push({ value: item[key] ?? null, depth })
      }
    } else if (typeof item !== 'boolean' && item !== null) {
      return 'The arguments hold what JSON cannot carry.'
    }
  }
  return null
}

/** Values, and UTF-16 units of text, in the arguments that Cedar is given. An element of a set costs it some 15 us. */
const judgedValueLimit = 4_096
const judgedTextLimit = 262_144

/**
 * Whether the part of the arguments and facts that policies could read is more than they can judge in reasonable time: a caller
 * must not be able to stop the server with one long list. Answers the fault as a sentence that names no value, or
 * `null`. What no policy reads is not counted.
 */
export function judgingFault(...parts: readonly (CedarValueJson | undefined)[]): string | null {
  const pending: CedarValueJson[] = parts.filter((part) => part !== undefined)
  let values = 0
  let text = 0
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    values += 1
    if (typeof item === 'string') text += item.length
    else if (typeof item === 'object' && item !== null) {
      const members: readonly CedarValueJson[] = Object.values(item as Record<string, CedarValueJson>)
      if (members.length > judgedValueLimit) values = members.length
      else pending.push(...members)
    }
    if (values > judgedValueLimit)
      return `The arguments hold more than ${judgedValueLimit} values that a policy here would have to judge.`
    if (text > judgedTextLimit)
      return `The arguments hold more than ${judgedTextLimit} characters that a policy here would have to judge.`
  }
  return null
}
