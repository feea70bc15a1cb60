import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/** Bounds the work that one schema can make of one value. */
const maxSchemas = 64

/** Everything that a schema says of one value: itself, and what it takes in from elsewhere. */
export type SchemaSet = readonly JsonObject[]

/** Whether a schema marks anything at all as secret. Says yes too often (a member may be called so), never no wrongly. */
export function marksSecrets(schema: JsonObject | null): boolean {
  return schema !== null && /"(?:writeOnly|x-mcpworks-secret|format)":/.test(JSON.stringify(schema))
}

/** The schemas that apply to a whole value. */
export function schemasOf(root: JsonObject): SchemaSet {
  return expanded([root], root)
}

/** Whether one of them says that the value is a secret: `"x-mcpworks-secret": true`, `writeOnly`, or the format `password`. */
export function isSecret(schemas: SchemaSet): boolean {
  return schemas.some(
    (schema) => schema['x-mcpworks-secret'] === true || schema.writeOnly === true || schema.format === 'password',
  )
}

/**
 * The schemas of a member. Those of `patternProperties` count whatever the name: their patterns are not tried, because
 * nothing bounds how long that takes.
 */
export function schemasOfMember(schemas: SchemaSet, name: string, root: JsonObject): SchemaSet {
  const found = schemas.flatMap(({ properties, patternProperties, additionalProperties, unevaluatedProperties }) => {
    const own = isJsonObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : []
    const patterns = isJsonObject(patternProperties) ? Object.values(patternProperties) : []
    return [...own, ...patterns, ...(own.length > 0 ? [] : [additionalProperties, unevaluatedProperties])]
  })
  return expanded(found, root)
}

/** The schemas of an element. */
export function schemasOfElement(schemas: SchemaSet, index: number, root: JsonObject): SchemaSet {
  const found = schemas.flatMap(({ prefixItems, items, contains, unevaluatedItems }) => [
    ...(Array.isArray(prefixItems) ? [prefixItems[index]] : []),
    items,
    contains,
    unevaluatedItems,
  ])
  return expanded(found, root)
}

function expanded(found: readonly (JsonValue | undefined)[], root: JsonObject): SchemaSet {
  const schemas = new Set<JsonObject>()
  const waiting = [...found]
  for (let next = waiting.pop(); next !== undefined || waiting.length > 0; next = waiting.pop()) {
    if (!isJsonObject(next) || schemas.has(next) || schemas.size >= maxSchemas) continue
    schemas.add(next)
    const { $ref: reference, allOf, anyOf, oneOf, then: consequence, else: alternative } = next
    for (const list of [allOf, anyOf, oneOf]) if (Array.isArray(list)) waiting.push(...list)
    for (const one of [consequence, alternative]) if (isJsonObject(one)) waiting.push(one)
    if (typeof reference === 'string') waiting.push(resolved(reference, root) ?? {})
  }
  return [...schemas]
}

/** What a reference within the schema points to (RFC 6901). Others are not followed: the checker fetches none either. */
function resolved(reference: string, root: JsonObject): JsonObject | null {
  if (!reference.startsWith('#')) return null
  let at: JsonValue | undefined = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(at)) at = at[Number(name)]
    else at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }
  return isJsonObject(at) ? at : null
}
