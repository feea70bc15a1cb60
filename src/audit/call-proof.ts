import { z } from 'zod'
import { readCheckpoint, treeOfOrigin } from './checkpoint.ts'
import type { RecordProof } from './decision-log.ts'
import { keySuccession, signersOf } from './key-succession.ts'
import type { StoredRecord } from './record.ts'
import { leafHash, verifyInclusion } from './rfc6962.ts'
import { readEnvelope } from './stored-envelope.ts'
import { readTlogProof, writeTlogProof } from './tlog-proof.ts'
import { countWitnesses, type WitnessKey } from './witness/cosignature.ts'

const type = 'mcpworks-call-proof'

const proofFileSchema = z.strictObject({
  type: z.literal(type),
  v: z.literal(1),
  call: z.string().max(100),
  records: z
    .array(z.strictObject({ record: z.string().max(4 * 1024 * 1024), proof: z.string().max(64 * 1024) }))
    .min(1)
    .max(100),
  /** Statements of the changes of the log's key, oldest first. */
  key_changes: z.array(z.string().max(4096)).max(10_000).default([]),
})

/** The records of one call, each with what shows that it is in the log. Holds no body. */
export type CallProof = z.output<typeof proofFileSchema>

/**
 * Makes a proof of a call's records. `keyChanges` are the statements of the changes of the log's key, by which somebody
 * who has an earlier key comes to the one that signed. `null` where one of them is under no signed checkpoint yet.
 */
export function makeCallProof(
  call: string,
  records: readonly { readonly stored: StoredRecord; readonly proof: RecordProof }[],
  keyChanges: readonly string[] = [],
): CallProof | null {
  const proven: CallProof['records'] = []
  for (const { stored, proof } of records) {
    if (proof.checkpoint === null) return null
    const inclusion = proof.inclusion.map((hash) => Buffer.from(hash, 'base64'))
    const text = writeTlogProof({ index: proof.leafIndex, inclusion, checkpoint: proof.checkpoint.note })
    proven.push({ record: stored.json, proof: text })
  }
  return { type, v: 1, call, records: proven, key_changes: [...keyChanges] }
}

/** Whose cosignatures are asked for, and how many of theirs. */
export interface WitnessDemand {
  readonly witnesses: readonly WitnessKey[]
  readonly quorum: number
}

/** What a proof shows, or the first thing in it that is not so. */
export type CallProofVerdict =
  | {
      readonly ok: true
      readonly call: string
      readonly namespace: string
      readonly records: readonly {
        readonly kind: string
        readonly time: string
        /** The tree's period, empty for one that was begun before trees had a period. */
        readonly period: string
        /** Position in that tree. */
        readonly index: number
        readonly treeSize: number
        /** How many of the witnesses that were asked for cosigned the checkpoint. */
        readonly witnesses: number
      }[]
    }
  | { readonly ok: false; readonly problem: string }

/**
 * Checks a proof with nothing but the log's verifier key lines: that each record stands, as written here, in a tree of
 * its namespace under a checkpoint that the first key, or one that it vouches for, signed. Does not show that the log
 * has no other records of the call, nor, without witnesses, that the checkpoint is one that everybody else was shown: so
 * many of the witnesses as `quorum` says must have cosigned each. Never throws for what the file holds.
 */
export function checkCallProof(
  text: string,
  publicKeyLines: string,
  { witnesses, quorum }: WitnessDemand = { witnesses: [], quorum: 0 },
): CallProofVerdict {
  const file = readProofFile(text)
  if (file === null) return wrong('This is not a proof that "mcpworks audit prove" makes.')
  const keys = keySuccession(publicKeyLines, file.key_changes)
  if (!keys.ok) return wrong(keys.problem)
  const { succession } = keys
  const namespaces = new Set<string>()
  const records = []
  for (const [at, { record, proof: proofText }] of file.records.entries()) {
    const envelope = readEnvelope(record)
    const proof = readTlogProof(proofText)
    if (envelope === null) return wrong(`Record ${at} is not a record.`)
    if (proof === null) return wrong(`The proof of record ${at} is not of the form c2sp.org/tlog-proof@v1.`)
    if (envelope.call !== file.call) return wrong(`Record ${at} is of another call: ${envelope.call}.`)
    namespaces.add(envelope.namespace)
    const origin = proof.checkpoint.slice(0, proof.checkpoint.indexOf('\n'))
    const tree = treeOfOrigin(succession.logId, origin)
    if (tree?.namespace !== envelope.namespace) return wrong(`The checkpoint of record ${at} is one of another log.`)
    const checkpoint = readCheckpoint(proof.checkpoint)
    // A key before the one that was given may be one that was replaced because somebody stole it.
    const isSigned = signersOf(succession, origin, proof.checkpoint).some((place) => place >= succession.given)
    if (checkpoint === null || !isSigned)
      return wrong(`The checkpoint of record ${at} bears no good signature by the log's key.`)
    const { size, root } = checkpoint
    if (!verifyInclusion(leafHash(record), proof.index, size, proof.inclusion, root))
      return wrong(`Record ${at} is not in the log at position ${proof.index}: it, or its proof, was changed.`)
    const cosigned = countWitnesses(proof.checkpoint, witnesses)
    if (cosigned < quorum)
      return wrong(`${cosigned} of the witnesses cosigned the checkpoint of record ${at}, and ${quorum} are asked for.`)
    const { period } = tree
    const { kind, time } = envelope
    records.push({ kind, time, period, index: proof.index, treeSize: size, witnesses: cosigned })
  }
  const [namespace, ...others] = namespaces
  if (namespace === undefined || others.length > 0) return wrong('The records are of several namespaces.')
  return { ok: true, call: file.call, namespace, records }
}

function readProofFile(text: string): CallProof | null {
  try {
    const parsed = proofFileSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    // Not JSON: not a proof.
    return null
  }
}

function wrong(problem: string): CallProofVerdict {
  return { ok: false, problem }
}
