import canonicalize from 'canonicalize'
import { McpworksError } from './error.ts'

/**
 * The RFC 8785 (JCS) text of a JSON value: members sorted, one spelling for every number and string.
 * Members whose value is `undefined` are left out, as `JSON.stringify` does.
 * Does not bound depth: bound what comes from outside before it gets here.
 * @throws McpworksError `invalid_json` for what JSON cannot carry: NaN, infinities, lone surrogates, functions.
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined
  try {
    text = canonicalize(value)
  } catch (cause) {
    throw new McpworksError('invalid_json', { detail: 'value has no RFC 8785 form', cause })
  }
  if (text === undefined || !text.isWellFormed()) {
    throw new McpworksError('invalid_json', { detail: 'value has no RFC 8785 form' })
  }
  return text
}
