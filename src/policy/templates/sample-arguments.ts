import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/**
 * The smallest arguments that have every argument a tool's schema requires, for cases that are not about arguments.
 * Their types are right for a policy; whether they satisfy the bounds of the schema is not looked at.
 */
export function sampleArguments(schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  const required = Array.isArray(schema.required) ? schema.required.map(String) : []
  return Object.fromEntries(required.map((name) => [name, sampleValue(properties[name])]))
}

function sampleValue(schema: JsonValue | undefined): JsonValue {
  if (!isJsonObject(schema)) return 'x'
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum) && schema.enum[0] !== undefined) return schema.enum[0]
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type
  switch (type) {
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? schema.minimum : 1
    case 'boolean':
      return false
    case 'array':
      return []
    case 'object':
      return sampleArguments(schema)
    default:
      return 'x'
  }
}
