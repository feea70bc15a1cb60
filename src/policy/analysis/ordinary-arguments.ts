import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/** How deep a value is made up. */
const maxDepth = 6

/**
 * Arguments as a tool's input schema asks for them, with nothing that it does not require: to begin a search with.
 * Follows the plain keywords; whether the whole schema takes them is not checked.
 */
export function ordinaryArguments(schema: JsonObject): JsonObject {
  const made = ordinaryValue(schema, maxDepth)
  return isJsonObject(made) ? made : {}
}

function ordinaryValue(schema: JsonValue | undefined, depth: number): JsonValue {
  if (!isJsonObject(schema) || depth === 0) return {}
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum) && schema.enum[0] !== undefined) return schema.enum[0]
  if (schema.default !== undefined) return schema.default
  const [type] = Array.isArray(schema.type) ? schema.type : [schema.type]
  switch (type) {
    case 'string':
      return text(schema)
    case 'integer':
    case 'number':
      return number(schema)
    case 'boolean':
      return false
    case 'null':
      return null
    case 'array':
      return Array.from({ length: sizeOf(schema.minItems) }, () => ordinaryValue(schema.items, depth - 1))
    default:
      return object(schema, depth)
  }
}

function object(schema: JsonObject, depth: number): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === 'string') : []
  return Object.fromEntries(required.map((name) => [name, ordinaryValue(properties[name], depth - 1)]))
}

const formats: Readonly<Record<string, string>> = {
  date: '2026-01-01',
  'date-time': '2026-01-01T00:00:00Z',
  email: 'person@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '01900000-0000-7000-8000-000000000000',
}

function text({ format, minLength }: JsonObject): string {
  const proposed = typeof format === 'string' ? (formats[format] ?? 'x') : 'x'
  return proposed.padEnd(sizeOf(minLength), 'x')
}

function number({ type, minimum, maximum, exclusiveMinimum, multipleOf }: JsonObject): number {
  const least = typeof minimum === 'number' ? minimum : typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : 0
  const most = typeof maximum === 'number' ? maximum : Number.MAX_SAFE_INTEGER
  const value = Math.min(Math.max(0, least), most)
  const step = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : 1
  return type === 'integer' || step !== 1 ? Math.ceil(value / step) * step : value
}

/** Sizes that schemas ask for, bounded: a schema may ask for a million items. */
function sizeOf(value: JsonValue | undefined): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.ceil(value), 1000) : 0
}
