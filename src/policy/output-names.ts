import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'

/** Names of the members that a tool's output schema speaks of, at any depth; `null` where it names none. */
export function outputNames(schema: JsonObject | null | undefined): ReadonlySet<string> | null {
  const names = new Set<string>()
  if (schema !== null && schema !== undefined) collect(schema, names, 0)
  return names.size === 0 ? null : names
}

/** A schema from outside may be nested as deep as it likes; nobody reads deeper than this. */
const maxDepth = 50

function collect(value: JsonValue, names: Set<string>, depth: number): void {
  if (depth > maxDepth) return
  if (Array.isArray(value)) for (const element of value) collect(element, names, depth + 1)
  if (!isJsonObject(value)) return
  for (const [keyword, member] of Object.entries(value)) {
    if (keyword === 'properties' && isJsonObject(member)) {
      for (const [name, property] of Object.entries(member)) {
        names.add(name)
        collect(property, names, depth + 1)
      }
    } else collect(member, names, depth + 1)
  }
}
