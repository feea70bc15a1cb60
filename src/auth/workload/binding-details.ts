import { isJsonObject, type JsonObject } from '../../kernel/index.ts'

/**
 * Which tokens or assertions of a trusted issuer are those of one principal: every named claim must match. A pattern is
 * the exact value, or has one `*` that stands for one or more characters other than `/`, `:`, `@` and controls.
 */
export interface BindingDetails {
  /** `iss`, compared exactly. */
  readonly issuer: string
  readonly match: Readonly<Record<string, string>>
}

/** Reads what a `binding` credential holds; `null` where it is not of this form: such a binding matches nothing. */
export function readBindingDetails(details: JsonObject): BindingDetails | null {
  const { issuer, match } = details
  if (typeof issuer !== 'string' || !isJsonObject(match)) return null
  const entries = Object.entries(match)
  if (entries.length === 0 || !entries.every(isClaimPattern)) return null
  return { issuer, match: Object.fromEntries(entries) }
}

function isClaimPattern(entry: readonly [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string' && entry[1] !== ''
}
