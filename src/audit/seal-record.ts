import { McpworksError, type Digest } from '../kernel/index.ts'
import type { BodyReference } from './sealed-bodies.ts'
import type { RecordKind } from './record.ts'
import type { Redactions } from './redactions-of.ts'
import { cut } from './write-record.ts'

/** The log's own part of a record: what the drafter does not know. */
export interface RecordSeal {
  readonly id: string
  readonly writer: {
    readonly id: string
    /** Counts the starts of the writer, from 1. */
    readonly epoch: number
    /** Position in all that the writer ever wrote, from 0. */
    readonly seq: number
    /** RFC 6962 leaf hash of the writer's record before this one, `null` for its first. */
    readonly prevHash: Digest | null
  }
  /** What stands beside the record, encrypted. */
  readonly input: BodyReference | null
  readonly output: BodyReference | null
  readonly engineInput: BodyReference | null
  /** In how many places secrets were taken out of them; in none where it is left out. */
  readonly redactions?: Redactions
}

const noRedactions: Redactions = { input: 0, output: 0, engineInput: 0 }

/**
 * The record as it is stored and hashed, from the text of `writeRecord`.
 * `request_hash` is the salted commitment to the engine's exact input, not the plain hash that the engine gives:
 * that input holds the arguments, which can be guessed.
 * @throws McpworksError `internal` where the text is not one of that kind
 */
export function sealRecord(text: string, kind: RecordKind, seal: RecordSeal): string {
  const fills = fillsOf(kind, seal)
  const parts = text.split(cut)
  if (parts.length !== fills.length + 1) throw new McpworksError('internal', { detail: 'a malformed record text' })
  let sealed = parts[0] ?? ''
  for (const [position, fill] of fills.entries()) sealed += fill + (parts[position + 1] ?? '')
  return sealed
}

/** What goes into the places, in the order in which the sorted members put them. */
function fillsOf(kind: RecordKind, seal: RecordSeal): string[] {
  const { id, input, output, engineInput, redactions = noRedactions } = seal
  const idText = `"id":"${id}"`
  const writer = writerText(seal)
  if (kind === 'outcome') return [idText, `"output":${bodyText(output, id, 'output', redactions.output)}`, writer]
  if (kind !== 'decision') return [idText, writer]
  const hash = engineInput === null ? 'null' : `"${engineInput.commitment}"`
  const redacted = redactions.engineInput === 0 ? '' : `,"request_redactions":${redactions.engineInput}`
  const request = `"request_bytes":${engineInput?.bytes ?? null},"request_hash":${hash}${redacted}`
  return [request, idText, `"input":${bodyText(input, id, 'input', redactions.input)}`, writer]
}

function writerText({ writer: { epoch, id, prevHash, seq } }: RecordSeal): string {
  const previous = prevHash === null ? 'null' : `"${prevHash}"`
  return `"writer":{"epoch":${epoch},"id":"${id}","prev_hash":${previous},"seq":${seq}}`
}

function bodyText(body: BodyReference | null, id: string, part: string, redactions: number): string {
  if (body === null) return 'null'
  const redacted = redactions === 0 ? '"redacted":false' : `"redacted":true,"redactions":${redactions}`
  return `{"bytes":${body.bytes},"commitment":"${body.commitment}",${redacted},"ref":"${id}/${part}"}`
}
