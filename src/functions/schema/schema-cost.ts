import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { schemaBounds } from './schema-bounds.ts'
import { allSubschemas, childGroups, sameValueSubschemas, type Subschema } from './schema-keywords.ts'

/**
 * The most often that a check of any value looks at one place of it; `Infinity` where it would not end.
 *
 * A schema of a few lines can make a check take years: `$defs` whose `anyOf` names the next one twice doubles the work
 * at each step, and a recursive definition named twice doubles it with each level of the value. So the visits of one
 * place are counted: the sum over all subschemas that look at the same value, and for a place one level down the sum
 * over the keywords that can reach it. A check then costs at most this many visits times the places of the value,
 * which is bounded by the size of the request.
 *
 * Only references inside the schema are known; others count as nothing and must be refused elsewhere.
 */
export function schemaCost(root: JsonObject): number {
  const known = new Map<JsonObject, Map<number, number>>()
  const openAt: Set<JsonObject>[] = []
  const anchors = anchorsOf(root)

  /** Visits of one place `levels` below the value that `at` looks at. */
  const visits = (at: Subschema, levels: number): number => {
    const found = known.get(at.schema)?.get(levels)
    if (found !== undefined) return found
    // Back at a schema that is being counted at the same value: the check would go round for ever.
    const open = (openAt[levels] ??= new Set())
    if (open.has(at.schema)) return Infinity
    open.add(at.schema)
    const target = followReference(root, anchors, at.schema['$ref'])
    const same = target === null ? sameValueSubschemas(at) : [...sameValueSubschemas(at), { schema: target, path: [] }]
    let count = levels === 0 ? 1 : 0
    for (const subschema of same) count += visits(subschema, levels)
    open.delete(at.schema)
    if (levels > 0) {
      for (const group of childGroups(at)) {
        let most = 0
        for (const subschema of group) most = Math.max(most, visits(subschema, levels - 1))
        count += most
      }
    }
    const counts = known.get(at.schema) ?? new Map<number, number>()
    known.set(at.schema, counts.set(levels, count))
    return count
  }

  let most = 0
  try {
    for (let levels = 0; levels <= schemaBounds.depth && most <= schemaBounds.visits; levels++) {
      most = Math.max(most, visits({ schema: root, path: [] }, levels))
    }
  } catch (error) {
    // A chain of thousands of references exhausts the stack here, and would when a value is checked.
    if (error instanceof RangeError) return Infinity
    throw error
  }
  return most
}

/** The subschemas that carry a `$anchor`, by name. */
export function anchorsOf(root: JsonObject): ReadonlyMap<string, JsonObject> {
  const anchors = new Map<string, JsonObject>()
  const pending: Subschema[] = [{ schema: root, path: [] }]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const name = at.schema['$anchor']
    if (typeof name === 'string') anchors.set(name, at.schema)
    pending.push(...allSubschemas(at))
  }
  return anchors
}

/** The schema that a reference inside the document names (an anchor, or an RFC 6901 pointer in a fragment), or null. */
export function followReference(
  root: JsonObject,
  anchors: ReadonlyMap<string, JsonObject>,
  reference: JsonValue | undefined,
): JsonObject | null {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return null
  if (!/^#(\/|$)/.test(reference)) return anchors.get(reference.slice(1)) ?? null
  let current: JsonValue = root
  for (const token of reference.split('/').slice(1)) {
    const key = decodeToken(token)
    if (key === null || typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return null
    current = (current as JsonObject)[key] ?? null
  }
  return isJsonObject(current) ? current : null
}

function decodeToken(token: string): string | null {
  try {
    return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return null
  }
}
