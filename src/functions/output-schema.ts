import type { JsonObject } from '../kernel/index.ts'

/** Marks an output schema whose `result` member holds what the function returns. */
const wrapMark = 'x-mcpworks-wrapped'

/**
 * The output schema that clients see. MCP 2025-11-25 knows only objects as structured results, so that a function which
 * returns a list or a number answers `{"result": ...}` to clients of every version alike.
 * `$defs` move to the root, because references start there.
 */
export function wrapOutputSchema(schema: JsonObject | null): JsonObject | null {
  if (schema === null || schema['type'] === 'object') return schema
  const { $defs, ...result } = schema
  return {
    type: 'object',
    properties: { result },
    required: ['result'],
    ...($defs === undefined ? {} : { $defs }),
    [wrapMark]: true,
  }
}

/** Whether results of this schema stand under `result`. */
export function isWrapped(schema: JsonObject): boolean {
  return schema[wrapMark] === true
}
