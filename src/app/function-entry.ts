import { toolDefinition, type FunctionVersion } from '../functions/index.ts'
import type { Backend, CatalogueEntry } from '../gateway/index.ts'
import { digestJson, toolName } from '../kernel/index.ts'

/** The catalogue entry of a hosted function's version. */
export function functionEntry(version: FunctionVersion, backend: Backend): CatalogueEntry {
  const definition = toolDefinition(version)
  return {
    kind: 'tool',
    namespace: version.namespace,
    service: version.service,
    name: toolName(version.service, version.name),
    definition,
    definitionHash: digestJson(definition),
    inputSchema: version.inputSchema,
    outputSchema: version.outputSchema,
    codeHash: version.codeHash,
    runtime: version.runtime,
    calls: version.calls,
    labels: version.labels,
    backend,
  }
}
