import { leafHash, parseRedactions, sealBodies, sealRecord, type BodyPart, type RandomBytes } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { SubjectKey } from './subject-keys.ts'
import type { AppendItem } from './worker-protocol.ts'

/** The place of a record in the chain of its writer. */
export interface ChainPlace {
  readonly id: string
  readonly writerId: string
  readonly epoch: number
  readonly position: number
  /** Hash of the record before it. */
  readonly lastHash: Uint8Array | null
}

/** A record as it is written. */
export interface SealedItem {
  /** RFC 8785 text. */
  readonly json: string
  /** Its hash as a leaf, and what the next record of the chain names. */
  readonly leaf: Uint8Array
  /** What is beside it; `null` for nothing. */
  readonly bodies: { readonly dataKey: number; readonly sealed: Uint8Array } | null
}

/** Gives a record its place and seals what goes beside it. `keyOf` is asked only where something does. */
export function sealItem(
  item: Omit<AppendItem, 'ticket'>,
  { id, writerId, epoch, position, lastHash }: ChainPlace,
  keyOf: (subject: string) => SubjectKey,
  random: RandomBytes,
): SealedItem {
  const bodies = bodiesOf(item)
  if (bodies.size > 0 && item.subject === null)
    throw new McpworksError('internal', { detail: 'bodies without a subject' })
  const dataKey = bodies.size === 0 || item.subject === null ? null : keyOf(item.subject)
  const box = dataKey === null ? null : sealBodies(dataKey.key, random, id, bodies)
  const reference = (part: BodyPart) => box?.references.get(part) ?? null
  const prevHash = lastHash === null ? null : (`sha256:${Buffer.from(lastHash).toString('hex')}` as const)
  const json = sealRecord(item.text, item.kind, {
    id,
    writer: { id: writerId, epoch, seq: position, prevHash },
    input: reference('input'),
    output: reference('output'),
    engineInput: reference('engine_input'),
    redactions: parseRedactions(item.redactions),
  })
  const sealed = box === null || dataKey === null ? null : { dataKey: dataKey.id, sealed: box.sealed }
  return { json, leaf: leafHash(json), bodies: sealed }
}

function bodiesOf({ input, output, engineInput }: Omit<AppendItem, 'ticket'>): Map<BodyPart, string> {
  const given = new Map<BodyPart, string>()
  if (input !== null) given.set('input', input)
  if (output !== null) given.set('output', output)
  if (engineInput !== null) given.set('engine_input', engineInput)
  return given
}
