import type { JsonValue } from '../../kernel/index.ts'

/** JSON texts may stand in strings of JSON texts so many times, one inside the other. */
export const maxTextNesting = 4

/** The value of a text that is JSON as a whole, `undefined` where it is not. */
export function jsonOf(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** The value in a string that is the JSON text of an object, an array or a string; `undefined` for any other string. */
export function nestedJsonOf(text: string): JsonValue | undefined {
  if (!/^[\s]*[{["]/u.test(text)) return undefined
  return jsonOf(text)
}
