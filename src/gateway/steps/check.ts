import type { IdentifiedCall, Target } from '../call.ts'
import type { SchemaChecker, SchemaProblem } from '../ports.ts'

/**
 * Checks a tool's arguments against the input schema of the pinned definition. The object that was checked is the
 * one that policy sees and the backend gets: nothing parses it again.
 * Management operations were checked against the contract at the door; prompts take strings by protocol.
 */
export function check(call: IdentifiedCall, target: Target, schemas: SchemaChecker): readonly SchemaProblem[] {
  if (call.effect.kind !== 'call' || !target.visible) return []
  const schema = target.entry?.inputSchema ?? null
  return schema === null ? [] : schemas.check(schema, call.effect.arguments)
}
