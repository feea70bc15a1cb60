import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'

/** The Cedar type of an argument, in Cedar's JSON schema form. */
export type CedarType =
  | { readonly type: 'String' | 'Long' | 'Boolean' }
  | { readonly type: 'Extension'; readonly name: 'decimal' | 'ipaddr' }
  | { readonly type: 'Set'; readonly element: CedarType }
  | CedarRecord

/** A Cedar record type. */
export interface CedarRecord {
  readonly type: 'Record'
  readonly attributes: { readonly [name: string]: CedarType & { readonly required: boolean } }
}

/** What policies can see of a tool's arguments. */
export interface ArgumentType {
  readonly type: CedarRecord
  /** Top-level arguments that Cedar cannot express, each with the reason. Policies cannot name them. */
  readonly invisible: ReadonlyMap<string, string>
}

/** Keys that Cedar's JSON form gives a meaning of its own. */
export const reservedKeys: ReadonlySet<string> = new Set(['__entity', '__extn', '__expr'])

const depthLimit = 8
const nodeLimit = 1_000

/**
 * The Cedar type of a tool's arguments from its JSON Schema (2020-12).
 *
 * string -> String, boolean -> Bool, integer -> Long, number -> decimal, array -> Set, object -> Record of its
 * `properties`; what is not `required`, or may be null, is optional. A keyword in JSON Schema only ever narrows, so the
 * type read from `type`, `properties`, `required` and `items` holds whatever else the schema says. What has no single
 * such type (several types, tuples, sets of nullable values, recursion, a schema that is not there) is left out and
 * listed in `invisible`. Only local `$ref`s are followed. Never throws: a schema that makes no sense shows nothing.
 */
export function argumentType(schema: JsonObject): ArgumentType {
  const invisible = new Map<string, string>()
  const reader: Reader = { root: schema, nodes: 0, references: [] }
  const found = read(schema, reader, 0, invisible)
  if (found.kind === 'type' && found.type.type === 'Record') return { type: found.type, invisible }
  return { type: { type: 'Record', attributes: {} }, invisible }
}

interface Reader {
  readonly root: JsonObject
  nodes: number
  readonly references: string[]
}

type Found =
  | { readonly kind: 'type'; readonly type: CedarType; readonly nullable: boolean }
  | { readonly kind: 'invisible'; readonly reason: string }

const hidden = (reason: string): Found => ({ kind: 'invisible', reason })

function read(schema: JsonValue | undefined, reader: Reader, depth: number, invisible?: Map<string, string>): Found {
  reader.nodes += 1
  if (reader.nodes > nodeLimit) return hidden('the schema is too large')
  if (depth > depthLimit) return hidden(`it is nested more than ${depthLimit} deep`)
  if (!isJsonObject(schema)) return hidden('its schema allows any type')
  const types = declaredTypes(schema)
  if (types === null) return throughReference(schema, reader, depth, invisible)
  const nullable = types.has('null')
  types.delete('null')
  if (types.has('number')) types.delete('integer')
  if (types.size !== 1) return hidden(types.size === 0 ? 'it can only be null' : 'it has several types')
  const [type] = types
  switch (type) {
    case 'string':
      return { kind: 'type', type: { type: 'String' }, nullable }
    case 'boolean':
      return { kind: 'type', type: { type: 'Boolean' }, nullable }
    case 'integer':
      return { kind: 'type', type: { type: 'Long' }, nullable }
    case 'number':
      return { kind: 'type', type: { type: 'Extension', name: 'decimal' }, nullable }
    case 'array':
      return readArray(schema, reader, depth, nullable)
    case 'object':
      return { kind: 'type', type: readObject(schema, reader, depth, invisible), nullable }
    default:
      return hidden('its type is unknown')
  }
}

/** The JSON Schema types that a schema states by itself; `null` where it states none. */
function declaredTypes(schema: JsonObject): Set<string> | null {
  if (typeof schema.type === 'string') return new Set([schema.type])
  if (Array.isArray(schema.type)) return new Set(schema.type.map(String))
  const values = 'const' in schema ? [schema.const] : schema.enum
  if (!Array.isArray(values)) return null
  return new Set(values.map((value) => typeOfValue(value ?? null)))
}

function typeOfValue(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** For a schema without a type of its own: `$ref`, or `anyOf`/`oneOf`/`allOf` that come down to one type. */
function throughReference(schema: JsonObject, reader: Reader, depth: number, invisible?: Map<string, string>): Found {
  if (typeof schema.$ref === 'string') {
    const reference = schema.$ref
    if (reader.references.includes(reference)) return hidden('it is recursive')
    const target = resolveLocal(reader.root, reference)
    if (target === undefined) return hidden('its $ref leads nowhere in the schema')
    reader.references.push(reference)
    const found = read(target, reader, depth, invisible)
    reader.references.pop()
    return found
  }
  if (Array.isArray(schema.allOf)) {
    const typed = schema.allOf.map((part) => read(part, reader, depth + 1)).filter((found) => found.kind === 'type')
    const [only] = typed
    return typed.length === 1 && only !== undefined ? only : hidden('its schema is an allOf of several parts')
  }
  const alternatives = schema.anyOf ?? schema.oneOf
  if (!Array.isArray(alternatives)) return hidden('its schema states no type')
  const some = alternatives.filter((part) => !isJsonObject(part) || part.type !== 'null')
  const found = some.map((part) => read(part, reader, depth + 1))
  const [first] = found
  if (first === undefined) return hidden('it can only be null')
  for (const other of found) {
    if (other.kind === 'invisible') return other
    if (first.kind === 'invisible' || JSON.stringify(first.type) !== JSON.stringify(other.type))
      return hidden('it has several types')
  }
  if (first.kind === 'invisible') return first
  const nullable = some.length < alternatives.length || found.some((other) => other.kind === 'type' && other.nullable)
  return { kind: 'type', type: first.type, nullable }
}

function readArray(schema: JsonObject, reader: Reader, depth: number, nullable: boolean): Found {
  if ('prefixItems' in schema) return hidden('it is a tuple')
  const element = read(schema.items, reader, depth + 1)
  if (element.kind === 'invisible') return hidden(`of its elements: ${element.reason}`)
  if (element.nullable) return hidden('its elements may be null')
  return { kind: 'type', type: { type: 'Set', element: element.type }, nullable }
}

function readObject(schema: JsonObject, reader: Reader, depth: number, invisible?: Map<string, string>): CedarRecord {
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const attributes: Record<string, CedarType & { required: boolean }> = Object.create(null) as Record<string, never>
  const properties = Object.entries(isJsonObject(schema.properties) ? schema.properties : {})
  // In one order whatever the author's is, so that what is made by the type is in the order of RFC 8785.
  for (const [name, property] of properties.sort(([left], [right]) => (left < right ? -1 : 1))) {
    const found: Found =
      reservedKeys.has(name) || !name.isWellFormed()
        ? hidden('its name is reserved')
        : read(property, reader, depth + 1)
    if (found.kind === 'invisible') invisible?.set(name, found.reason)
    else attributes[name] = { ...found.type, required: required.has(name) && !found.nullable }
  }
  return { type: 'Record', attributes }
}

/** Follows `#` and `#/a/b` (RFC 6901). Never leaves the document. */
function resolveLocal(root: JsonObject, reference: string): JsonValue | undefined {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let node: JsonValue | undefined = root
  for (const part of reference.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isJsonObject(node) || !Object.hasOwn(node, key)) return undefined
    node = node[key]
  }
  return node
}
