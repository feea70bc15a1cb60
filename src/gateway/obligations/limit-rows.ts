import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { maxTextNesting, nestedJsonOf } from './json-text.ts'
import { Unfulfillable } from './unfulfillable.ts'

const maxDepth = 200
const lineEnd = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/u

/** Takes rows from all values of one result that it is given, one after the other, and counts what it lets through. */
export interface RowLimit {
  /** A copy with the rows that are left over. @throws Unfulfillable for what is nested too deep to be counted */
  limit(value: JsonValue): JsonValue
  /** The same for text: rows where it is JSON; where it is prose, all texts together have as many lines at most. */
  limitText(text: string): string
  /** Rows let through, and rows left out. */
  counted(): { readonly kept: number; readonly left: number }
}

/**
 * What a row is, so that rows cannot be hidden where nobody counts: an element of an array that no row holds; any object
 * or array that is an element of an array, wherever that is; and any member of an object that holds more objects and
 * arrays than there may be rows. All of one result draw on the same number, in the order of the result. A list of plain
 * values inside a row has as many elements at most, and a string as many lines. Strings that are JSON are looked into.
 */
export function createRowLimit(rows: number): RowLimit {
  let kept = 0
  let left = 0
  let linesOfProse = 0
  const takeRow = (): boolean => {
    if (kept >= rows) {
      left += 1
      return false
    }
    kept += 1
    return true
  }

  function elements(array: readonly JsonValue[], inRow: boolean, depth: number, nesting: number): JsonValue[] {
    const result: JsonValue[] = []
    let plain = 0
    for (const element of array) {
      const isPlain = typeof element !== 'object' || element === null
      if (isPlain && inRow) {
        plain += 1
        if (plain > rows) left += 1
        else result.push(limited(element, true, depth, nesting))
      } else if (takeRow()) result.push(limited(element, true, depth, nesting))
    }
    return result
  }

  function members(object: JsonObject, inRow: boolean, depth: number, nesting: number): JsonObject {
    const entries = Object.entries(object)
    const isTable = entries.filter(([, member]) => typeof member === 'object' && member !== null).length > rows
    const result: [string, JsonValue][] = []
    for (const [name, member] of entries) {
      const isRow = isTable && typeof member === 'object' && member !== null
      if (isRow && !takeRow()) continue
      result.push([name, limited(member, inRow, depth, nesting)])
    }
    return Object.fromEntries(result)
  }

  function limited(value: JsonValue, inRow: boolean, depth: number, nesting: number): JsonValue {
    if (depth > maxDepth) throw new Unfulfillable('the result is nested too deep')
    if (typeof value === 'string') return string(value, inRow, depth, nesting)
    if (Array.isArray(value)) return elements(value, inRow, depth + 1, nesting)
    return isJsonObject(value) ? members(value, inRow, depth + 1, nesting) : value
  }

  function string(text: string, inRow: boolean, depth: number, nesting: number): string {
    const nested = nestedJsonOf(text)
    if (nested === undefined) return lines(text, rows)
    if (nesting >= maxTextNesting) throw new Unfulfillable('JSON stands in strings too many times')
    return JSON.stringify(limited(nested, inRow, depth + 1, nesting + 1))
  }

  function lines(text: string, most: number): string {
    const all = text.split(lineEnd)
    if (all.length <= most) return text
    left += all.length - most
    return all.slice(0, most).join('\n')
  }

  return {
    limit: (value) => limited(value, false, 0, 0),
    limitText(text) {
      const nested = nestedJsonOf(text)
      if (nested !== undefined) return JSON.stringify(limited(nested, false, 0, 1))
      const cut = lines(text, rows - linesOfProse)
      linesOfProse += cut === '' ? 0 : cut.split(lineEnd).length
      return cut
    },
    counted: () => ({ kept, left }),
  }
}
