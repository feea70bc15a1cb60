import { isJsonObject, McpworksError, type JsonObject } from '../../kernel/index.ts'

/** Takes lines for the operator; a logger is one. */
export interface OperatorLines {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The fields of a line as they are handed to another thread, on the way to which errors would lose their class. */
export function toldFields(fields: object): JsonObject {
  const all: [string, unknown][] = Object.entries(fields)
  const told: unknown = Object.fromEntries(
    all.map(([name, value]) => [name, value instanceof Error ? toldError(value) : value]),
  )
  return isJsonObject(told) ? told : {}
}

function toldError(error: Error): JsonObject {
  const { name, message, stack = '', cause } = error
  return {
    type: name,
    message,
    stack,
    ...(error instanceof McpworksError ? { code: error.code, detail: error.detail ?? null } : {}),
    ...(cause instanceof Error ? { cause: toldError(cause) } : {}),
  }
}
