import { bodyLevels, nearestName, type BodyLevel } from '../kernel/index.ts'

/** Sandbox profiles that a policy can force, the least strict first. */
export const forcedProfiles = ['strict'] as const

/** A sandbox profile that a policy can force. */
export type ForcedProfile = (typeof forcedProfiles)[number]

/**
 * One thing that must be done where a permit with `@obligation("...")` determines an allowance; `record` also where a
 * forbid with it determines a denial.
 */
export type Obligation =
  /** Members of the result with these names are taken out, at any depth. */
  | { readonly kind: 'redact'; readonly fields: readonly string[] }
  /** The result holds at most so many rows. */
  | { readonly kind: 'limit-rows'; readonly rows: number }
  /** These channels are told of the call. */
  | { readonly kind: 'notify'; readonly channels: readonly string[] }
  /** The code runs under this profile, and only under it. */
  | { readonly kind: 'profile'; readonly profile: ForcedProfile }
  /** No more of the exchange is kept beside its records. */
  | { readonly kind: 'record'; readonly level: BodyLevel }

/** The obligations of one annotation, or the first mistake in it. */
export type ParsedObligations =
  | { readonly ok: true; readonly obligations: readonly Obligation[] }
  | { readonly ok: false; readonly fault: ObligationFault }

/** A mistake in the text of an obligation. */
export interface ObligationFault {
  /** UTF-16 offset in the text. */
  readonly offset: number
  readonly message: string
  readonly hint: string | null
}

const bounds = { textLength: 1000, names: 50, rows: 1_000_000 } as const

const kinds: ReadonlyMap<string, (words: Words) => Obligation | ObligationFault> = new Map([
  ['redact', redact],
  ['limit-rows', limitRows],
  ['notify', notify],
  ['profile', profile],
  ['record', record],
])

const example = 'write it like "redact email, phone; limit-rows 25; notify security; profile strict; record metadata"'

/** What stands behind the first word of an obligation, and where. */
interface Words {
  readonly text: string
  readonly offset: number
}

/**
 * Reads the text of `@obligation("...")`: obligations with semicolons between them. Does not check whether a channel or a
 * field exists.
 */
export function parseObligations(text: string): ParsedObligations {
  if (text.length > bounds.textLength)
    return faulty(bounds.textLength, `an obligation has at most ${bounds.textLength} characters`, null)
  const obligations: Obligation[] = []
  for (const { text: part, offset } of split(text, ';', 0)) {
    const [word = ''] = /^[^\s,]+/.exec(part) ?? []
    const read = kinds.get(word)
    if (read === undefined) return { ok: false, fault: unknownWord(word, offset) }
    const rest = part.slice(word.length)
    const blank = rest.length - rest.trimStart().length
    const one = read({ text: rest.trimStart(), offset: offset + word.length + blank })
    if ('message' in one) return { ok: false, fault: one }
    obligations.push(one)
  }
  return { ok: true, obligations }
}

/** Whether all that a text demands can be done about a denial: to record little of it. */
export function isForDenials(text: string): boolean {
  const parsed = parseObligations(text)
  return parsed.ok && parsed.obligations.every(({ kind }) => kind === 'record')
}

function unknownWord(word: string, offset: number): ObligationFault {
  if (word === '') return { offset, message: 'there is no obligation here', hint: example }
  const near = nearestName(word, kinds.keys())
  const known = Array.from(kinds.keys()).join(', ')
  const hint = near === null ? `known are ${known}` : `did you mean "${near}"?`
  return { offset, message: `there is no obligation "${word}"`, hint }
}

function redact(words: Words): Obligation | ObligationFault {
  const fields = names(words, /^(?=.*\p{L})[\p{L}_][\p{L}\p{N}\p{M}_-]{0,63}$/u, 'field', 'redact email, phone')
  return 'message' in fields ? fields : { kind: 'redact', fields: fields.names }
}

function notify(words: Words): Obligation | ObligationFault {
  const channels = names(words, /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/u, 'channel', 'notify security')
  return 'message' in channels ? channels : { kind: 'notify', channels: channels.names }
}

function limitRows({ text, offset }: Words): Obligation | ObligationFault {
  const rows = /^[1-9][0-9]{0,6}$/.test(text) ? Number(text) : 0
  if (rows >= 1 && rows <= bounds.rows) return { kind: 'limit-rows', rows }
  return { offset, message: `limit-rows needs a whole number from 1 to ${bounds.rows}`, hint: 'limit-rows 25' }
}

function profile({ text, offset }: Words): Obligation | ObligationFault {
  const known = forcedProfiles.find((name) => name === text)
  if (known !== undefined) return { kind: 'profile', profile: known }
  const near = nearestName(text, forcedProfiles) ?? forcedProfiles[0]
  return { offset, message: `there is no sandbox profile "${text}" to force`, hint: `profile ${near}` }
}

function record({ text, offset }: Words): Obligation | ObligationFault {
  const level = bodyLevels.find((name) => name === text)
  if (level !== undefined) return { kind: 'record', level }
  const near = nearestName(text, bodyLevels) ?? bodyLevels[0]
  return { offset, message: `there is no level "${text}" of what is recorded`, hint: `record ${near}` }
}

function names(
  words: Words,
  pattern: RegExp,
  what: string,
  hint: string,
): { readonly names: readonly string[] } | ObligationFault {
  const parts = split(words.text, ',', words.offset)
  const wrong = parts.find(({ text }) => !pattern.test(text))
  if (wrong !== undefined) {
    const message = wrong.text === '' ? `the name of a ${what} is missing` : `"${wrong.text}" is no name of a ${what}`
    return { offset: wrong.offset, message, hint }
  }
  if (parts.length > bounds.names) return { offset: words.offset, message: `at most ${bounds.names} names`, hint: null }
  return { names: parts.map(({ text }) => text) }
}

/** The parts between separators without the white space around them, each with its offset. */
function split(text: string, separator: string, base: number): Words[] {
  let offset = base
  return text.split(separator).map((part) => {
    const start = offset + part.length - part.trimStart().length
    offset += part.length + 1
    return { text: part.trim(), offset: start }
  })
}

function faulty(offset: number, message: string, hint: string | null): ParsedObligations {
  return { ok: false, fault: { offset, message, hint } }
}
