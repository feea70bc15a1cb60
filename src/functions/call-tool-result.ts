import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import type { FunctionVersion } from './function-version.ts'
import { isWrapped } from './output-schema.ts'

/**
 * The MCP `CallToolResult` of what a function returned: the value as text, for every client, and as
 * `structuredContent` where it is an object or the function has an output schema. Text is shown as it is, anything
 * else as JSON. Does not check the value against the output schema.
 */
export function successResult(version: FunctionVersion, value: JsonValue): JsonObject {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const result: JsonObject = { content: [{ type: 'text', text }] }
  const structured = structuredContent(version, value)
  return structured === null ? result : { ...result, structuredContent: structured }
}

/** The structured form of a value, `null` where it has none. */
function structuredContent(version: FunctionVersion, value: JsonValue): JsonObject | null {
  if (version.outputSchema !== null && isWrapped(version.outputSchema)) return { result: value }
  return isJsonObject(value) ? value : null
}

/** A `CallToolResult` that says what went wrong, for the agent to read. */
export function errorResult(text: string): JsonObject {
  return { content: [{ type: 'text', text }], isError: true }
}
