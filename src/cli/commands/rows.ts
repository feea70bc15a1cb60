import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/** The objects of a JSON array; empty for anything else. */
export function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** ISO 8601 to the second, for tables. */
export function timeOf(value: JsonValue | undefined): string {
  return typeof value === 'number' ? `${new Date(value).toISOString().slice(0, 19)}Z` : '-'
}
