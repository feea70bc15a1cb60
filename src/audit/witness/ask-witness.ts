import type { CheckpointRow, TreeReader } from '../audit-reader.ts'
import { proveConsistency } from '../prove-consistency.ts'
import type { TreeName } from '../read-tile.ts'
import { cosignaturesOf, type Cosignature, type WitnessKey } from './cosignature.ts'

/** What a witness answered to a request. */
export interface WitnessResponse {
  readonly status: number
  readonly body: string
}

/** What came of asking a witness for a cosignature. */
export type WitnessOutcome =
  | { readonly status: 'cosigned'; readonly cosignatures: readonly Cosignature[] }
  /** The witness saw another log under this name, or says so: this one was put back or rewritten, or the witness is wrong. */
  | { readonly status: 'conflict'; readonly problem: string }
  /** To be tried again. A sentence. */
  | { readonly status: 'failed'; readonly problem: string }

/** What is asked of a witness. */
export interface WitnessQuestion {
  readonly tree: TreeName
  readonly newest: Pick<CheckpointRow, 'size' | 'note'>
  /** Size that the witness cosigned last, as far as is known here; 0 where nothing is. */
  readonly knownSize: number
  /** The keys of the witness. */
  readonly keys: readonly WitnessKey[]
}

/**
 * Asks a witness to cosign a checkpoint (c2sp.org/tlog-witness, "add-checkpoint"), with a proof that it continues what
 * the witness cosigned last. Where the witness says that this was another size, asks once more from there.
 * `post` sends the body and rejects with nothing: it answers `null` where there was no answer.
 */
export async function askWitness(
  reader: Pick<TreeReader, 'hashes'>,
  { tree, newest, knownSize, keys }: WitnessQuestion,
  post: (body: string) => Promise<WitnessResponse | null>,
): Promise<WitnessOutcome> {
  let from = Math.min(knownSize, newest.size)
  for (let attempt = 0; attempt < 2; attempt++) {
    const proof = await proveConsistency(reader, tree, from, newest.size)
    const answer = await post(writeAddCheckpoint(from, proof, newest.note))
    if (answer === null) return failed('it does not answer')
    if (answer.status !== 409) return readAnswer(answer, newest, keys)
    const size = /^(0|[1-9][0-9]{0,15})\n$/.exec(answer.body)?.[1]
    if (size === undefined) return failed('it refuses and does not say what it has')
    if (Number(size) > newest.size)
      return conflict(`it cosigned ${size} records of this log, and ${newest.size} are signed here`)
    if (Number(size) === from) return failed('it says that it has what was sent, and that it has something else')
    from = Number(size)
  }
  return failed('it is asked by somebody else at the same time')
}

/** The body of a request (c2sp.org/tlog-witness, "add-checkpoint"). */
function writeAddCheckpoint(oldSize: number, proof: readonly Uint8Array[], note: string): string {
  return `old ${oldSize}\n${proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')}\n${note}`
}

function readAnswer(
  { status, body }: WitnessResponse,
  newest: Pick<CheckpointRow, 'note'>,
  keys: readonly WitnessKey[],
): WitnessOutcome {
  if (status === 422)
    return conflict('it finds that this log does not continue the one that it cosigned: the log was rewritten')
  if (status === 404) return failed('it does not know this log')
  if (status === 403) return failed('it does not take the key of this log')
  if (status !== 200) return failed(`it answers with status ${status}`)
  const cosignatures = cosignaturesOf(`${newest.note}${body}`, keys)
  return cosignatures.length === 0
    ? failed('its answer is no good cosignature by its key')
    : { status: 'cosigned', cosignatures }
}

function failed(problem: string): WitnessOutcome {
  return { status: 'failed', problem }
}

function conflict(problem: string): WitnessOutcome {
  return { status: 'conflict', problem }
}
