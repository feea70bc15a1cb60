import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/**
 * The capabilities that a client would need for an input request and did not declare, in the form of
 * `requiredCapabilities` (MCP 2026-07-28 -32021); `null` where nothing is missing.
 * A bare `elicitation: {}` means form mode, as in 2025-06-18. Unknown methods need what nobody has.
 */
export function missingCapabilities(inputRequests: JsonObject, declared: JsonObject): JsonObject | null {
  const missing: JsonObject = {}
  for (const request of Object.values(inputRequests)) {
    const method = isJsonObject(request) ? request.method : null
    const params = isJsonObject(request) && isJsonObject(request.params) ? request.params : {}
    if (method === 'roots/list') {
      if (!isJsonObject(declared.roots)) missing.roots = {}
    } else if (method === 'elicitation/create') {
      const mode = params.mode === 'url' ? 'url' : 'form'
      if (!allowsElicitation(declared.elicitation, mode))
        missing.elicitation = { ...asObject(missing.elicitation), [mode]: {} }
    } else if (method === 'sampling/createMessage') {
      const tools = params.tools !== undefined || params.toolChoice !== undefined
      if (!isJsonObject(declared.sampling)) missing.sampling = tools ? { tools: {} } : { ...asObject(missing.sampling) }
      else if (tools && !isJsonObject(declared.sampling.tools)) missing.sampling = { tools: {} }
    } else {
      missing.experimental = {}
    }
  }
  return Object.keys(missing).length === 0 ? null : missing
}

function allowsElicitation(declared: JsonValue | undefined, mode: 'form' | 'url'): boolean {
  if (!isJsonObject(declared)) return false
  if (isJsonObject(declared[mode])) return true
  return mode === 'form' && declared.url === undefined
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
