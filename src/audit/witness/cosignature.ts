import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { readCheckpoint, type Checkpoint } from '../checkpoint.ts'
import { noteParts } from '../signed-note.ts'

/** How witnesses sign (c2sp.org/tlog-cosignature), with the byte that names it and the bytes of key and signature. */
const algorithms = {
  ed25519: { byte: 0x04, keyBytes: 32, signatureBytes: 64 },
  'ml-dsa-44': { byte: 0x06, keyBytes: 1312, signatureBytes: 2420 },
} as const

type Algorithm = keyof typeof algorithms

/** Somebody who looks after the log from outside: what it signs and with which key. */
export interface WitnessKey {
  readonly name: string
  readonly algorithm: Algorithm
  /** The raw key. */
  readonly publicKey: Uint8Array
}

/** That a witness found a checkpoint to continue all that it had seen of the log before. */
export interface Cosignature {
  readonly witness: string
  /** When it says it looked, in seconds since 1970. */
  readonly timeSeconds: number
  /** The signature line, as it stands in a note, with its end. */
  readonly line: string
}

/** Reads a witness's key line (`name+id+key`); `null` where it is malformed or of another kind of key. */
export function parseWitnessKey(line: string): WitnessKey | null {
  const [name, id, ...rest] = line.trim().split('+')
  if (name === undefined || name === '' || /[\s\p{C}]/u.test(name) || id === undefined) return null
  const bytes = Buffer.from(rest.join('+'), 'base64')
  for (const algorithm of Object.keys(algorithms) as Algorithm[]) {
    const { byte, keyBytes } = algorithms[algorithm]
    if (bytes[0] !== byte || bytes.length !== keyBytes + 1) continue
    const key = { name, algorithm, publicKey: bytes.subarray(1) }
    return witnessKeyLine(key) === line.trim() ? key : null
  }
  return null
}

/** The key line of a witness, as other tools take it. */
function witnessKeyLine(key: WitnessKey): string {
  const material = Buffer.concat([Buffer.from([algorithms[key.algorithm].byte]), key.publicKey])
  return `${key.name}+${keyIdOf(key).toString('hex')}+${material.toString('base64')}`
}

/**
 * The good cosignatures of a note by these witnesses. Lines of others are passed over, and so is a line that is not good:
 * it proves nothing. Does not look whether the log's own signature is good.
 */
export function cosignaturesOf(note: string, witnesses: readonly WitnessKey[]): Cosignature[] {
  const parts = noteParts(note)
  const checkpoint = parts === null ? null : readCheckpoint(parts.text)
  if (parts === null || checkpoint === null) return []
  return parts.signatures.flatMap(({ name, bytes, line }) =>
    witnesses.flatMap((key) => {
      if (name !== key.name || !keyIdOf(key).equals(bytes.subarray(0, 4))) return []
      const timeSeconds = timeOfGood(bytes.subarray(4), key, parts.text, checkpoint)
      return timeSeconds === null ? [] : [{ witness: key.name, timeSeconds, line }]
    }),
  )
}

/**
 * How many of these witnesses cosigned a note. One that signs with several keys counts once; several names with one key
 * count once too, because an Ed25519 cosignature does not say by whom it is.
 */
export function countWitnesses(note: string, witnesses: readonly WitnessKey[]): number {
  const keys = new Map<string, string>()
  for (const key of witnesses) {
    if (cosignaturesOf(note, [key]).length > 0)
      keys.set(`${key.algorithm} ${Buffer.from(key.publicKey).toString('hex')}`, key.name)
  }
  return new Set(keys.values()).size
}

/** The time that a good cosignature tells; `null` where it is not good. */
function timeOfGood(stamped: Uint8Array, key: WitnessKey, text: string, checkpoint: Checkpoint): number | null {
  if (stamped.length !== 8 + algorithms[key.algorithm].signatureBytes) return null
  const time = Buffer.from(stamped).readBigUInt64BE()
  // Zero says nothing of a time, and what no clock of ours can tell is none either.
  if (time === 0n || time > BigInt(Number.MAX_SAFE_INTEGER)) return null
  const message = signedMessage(key, time, text, checkpoint)
  return message !== null && verify(null, message, keyObject(key), stamped.subarray(8)) ? Number(time) : null
}

/** What a witness signs; `null` where a name is too long for the form (c2sp.org/tlog-cosignature, "signed message"). */
function signedMessage(
  key: Pick<WitnessKey, 'name' | 'algorithm'>,
  time: bigint,
  text: string,
  { origin, size, root }: Checkpoint,
): Buffer | null {
  if (key.algorithm === 'ed25519') return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)
  const [name, log] = [opaque(key.name), opaque(origin)]
  if (name === null || log === null) return null
  return Buffer.concat([Buffer.from('subtree/v1\n\0'), name, uint64(time), log, uint64(0n), uint64(BigInt(size)), root])
}

function opaque(text: string): Buffer | null {
  const bytes = Buffer.from(text)
  return bytes.length === 0 || bytes.length > 255 ? null : Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

function keyObject({ algorithm, publicKey }: WitnessKey): KeyObject {
  const material = Buffer.from(publicKey).toString('base64url')
  return algorithm === 'ed25519'
    ? createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: material } })
    : createPublicKey({ format: 'jwk', key: { kty: 'AKP', alg: 'ML-DSA-44', pub: material } })
}

function keyIdOf({ name, algorithm, publicKey }: WitnessKey): Buffer {
  const digest = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([algorithms[algorithm].byte]))
    .update(publicKey)
    .digest()
  return digest.subarray(0, 4)
}
