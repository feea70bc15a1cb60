import { toolName, type JsonObject } from '../kernel/index.ts'
import type { FunctionVersion } from './function-version.ts'

/** The MCP `Tool` object under which agents see a function: everything that they read, and nothing else. */
export function toolDefinition(version: FunctionVersion): JsonObject {
  const { service, name, title, description, inputSchema, outputSchema, annotations } = version
  return {
    name: toolName(service, name),
    ...(title === null ? {} : { title }),
    description,
    inputSchema,
    ...(outputSchema === null ? {} : { outputSchema }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}
