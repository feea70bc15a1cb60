import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { RequestHead } from '../request-head.ts'
import { decodeHeaderValue } from './header-value.ts'
import type { ProtocolRefusal } from './refuse-message.ts'

/** An argument that a tool wants repeated in a header: `x-mcp-header` in its input schema. */
interface Declaration {
  readonly path: readonly string[]
  /** Lower case, with `mcp-param-`. */
  readonly header: string
  readonly isNumber: boolean
}

/** Compares `Mcp-Param-*` headers with the arguments of a call; `null` where they agree. */
export type ParameterHeaderCheck = (
  head: RequestHead,
  inputSchema: JsonObject,
  given: JsonValue | undefined,
) => ProtocolRefusal | null

const maxSchemaDepth = 32

/**
 * Makes the check of headers that a tool declares with `x-mcp-header` (MCP 2026-07-28, transports "Custom headers from
 * tool parameters"): an argument that is there must be repeated, encoded as a string, and equal. Headers that the tool
 * does not declare are ignored. Does not ask whether the caller may know of the tool: a refusal must not go to one who
 * may not. What a schema declares is found once.
 */
export function createParameterHeaderCheck(): ParameterHeaderCheck {
  const known = new WeakMap<JsonObject, readonly Declaration[]>()
  return (head, inputSchema, given) => {
    let declared = known.get(inputSchema)
    if (declared === undefined) {
      declared = findDeclarations(inputSchema)
      known.set(inputSchema, declared)
    }
    for (const declaration of declared) {
      const problem = compare(head.parameters?.get(declaration.header), declaration, valueAt(given, declaration.path))
      if (problem === null) continue
      const message = `${declaration.header} must repeat the argument ${declaration.path.join('.')}: ${problem}.`
      return { status: 400, code: -32020, message, data: { header: declaration.header } }
    }
    return null
  }
}

function compare(header: string | undefined, { isNumber }: Declaration, value: JsonValue | undefined): string | null {
  if (value === undefined || value === null || typeof value === 'object') return null
  if (header === undefined) return 'the header is missing'
  const decoded = decodeHeaderValue(header.trim())
  if (decoded === null) return 'the header is not valid base64'
  if (isNumber && typeof value === 'number' && /^-?\d+(\.\d+)?$/.test(decoded))
    return Number(decoded) === value ? null : 'they differ'
  return decoded === String(value) ? null : 'they differ'
}

function findDeclarations(inputSchema: JsonObject): readonly Declaration[] {
  const declarations: Declaration[] = []
  collect(inputSchema, [], declarations)
  return declarations
}

/** Only along `properties`: a declaration elsewhere is not one by the specification. */
function collect(schema: JsonValue | undefined, path: readonly string[], into: Declaration[]): void {
  if (!isJsonObject(schema) || path.length > maxSchemaDepth) return
  const name = schema['x-mcp-header']
  if (typeof name === 'string' && path.length > 0 && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    into.push({
      path,
      header: `mcp-param-${name.toLowerCase()}`,
      isNumber: schema.type === 'integer' || schema.type === 'number',
    })
  }
  if (!isJsonObject(schema.properties)) return
  for (const [key, child] of Object.entries(schema.properties)) collect(child, [...path, key], into)
}

function valueAt(root: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = root
  for (const key of path) value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return value
}
