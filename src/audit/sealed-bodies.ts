import { createCipheriv, createDecipheriv, hash, type KeyObject } from 'node:crypto'
import type { Digest } from '../kernel/index.ts'

const nonceBytes = 12
const tagBytes = 16
const saltBytes = 16
/** Before each body in the box: one byte for the part, its length in four, and its salt. */
const headerBytes = 1 + 4 + saltBytes

/** The bodies that a record can have. Their places here are stored: never reorder. */
export const bodyParts = ['input', 'output', 'engine_input'] as const

/** One of them. */
export type BodyPart = (typeof bodyParts)[number]

/** What a record says of a body that it does not hold. */
export interface BodyReference {
  /** Salted: tells nothing about a guessable body to whoever has no key. */
  readonly commitment: Digest
  /** UTF-8 bytes. */
  readonly bytes: number
}

/** The bodies of one record, ready to be stored beside it. */
export interface SealedBodies {
  readonly references: ReadonlyMap<BodyPart, BodyReference>
  /** Nonce, AES-256-GCM ciphertext, tag. One box for all, because each box costs a cipher and a row. */
  readonly sealed: Uint8Array
}

/** Which body of a record, and what it gives as its commitment and length. */
export interface PartReference extends BodyReference {
  readonly part: BodyPart
}

/** A body as it was sealed, with the commitment that it gives. */
export interface OpenedBody extends PartReference {
  readonly body: string
  /** 16 bytes in hexadecimal: SHA-256 over them and the body is the commitment. */
  readonly salt: string
}

/** Fills so many bytes of a target from a place on with such as nobody can guess and nobody else was given. */
export type RandomBytes = (target: Uint8Array, at: number, count: number) => void

/**
 * Encrypts the bodies of a record under a 256-bit key (AES-256-GCM, NIST SP 800-38D) and commits to each.
 * The salts are inside the ciphertext, so that losing the key loses the power to test guesses against the record.
 * `context` is authenticated: a box moved to another record does not open.
 * The key is a KeyObject because handing over raw bytes makes node build one each time, at four times the cost of the rest.
 */
export function sealBodies(
  key: KeyObject,
  random: RandomBytes,
  context: string,
  bodies: ReadonlyMap<BodyPart, string>,
): SealedBodies {
  const lengths = new Map([...bodies].map(([part, body]) => [part, Buffer.byteLength(body)]))
  const sealed = Buffer.allocUnsafe(sealedBytes([...lengths.values()]))
  const plain = Buffer.allocUnsafe(sealed.length - nonceBytes - tagBytes)
  const references = new Map<BodyPart, BodyReference>()
  let at = 0
  for (const [part, body] of bodies) {
    const bytes = lengths.get(part) ?? 0
    plain[at] = bodyParts.indexOf(part)
    plain.writeUInt32BE(bytes, at + 1)
    random(plain, at + 5, saltBytes)
    plain.write(body, at + headerBytes)
    const end = at + headerBytes + bytes
    references.set(part, { commitment: commitmentOf(plain.subarray(at + 5, end)), bytes })
    at = end
  }
  random(sealed, 0, nonceBytes)
  const nonce = sealed.subarray(0, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(context))
  sealed.set(cipher.update(plain), nonceBytes)
  cipher.final()
  sealed.set(cipher.getAuthTag(), nonceBytes + plain.length)
  return { references, sealed }
}

/** The bodies of a box, or `null` where key, context or bytes are not those it was sealed with. */
export function openBodies(key: KeyObject, context: string, sealed: Uint8Array): OpenedBody[] | null {
  return open(key, context, sealed, (plain, { part, at, end }) => {
    const salt = plain.toString('hex', at - saltBytes, at)
    const commitment = commitmentOf(plain.subarray(at - saltBytes, end))
    return { part, bytes: end - at, commitment, salt, body: plain.toString('utf8', at, end) }
  })
}

/** What the bodies of a box give as commitments and lengths, for who compares and does not read. `null` as above. */
export function openReferences(key: KeyObject, context: string, sealed: Uint8Array): PartReference[] | null {
  return open(key, context, sealed, (plain, { part, at, end }) => {
    return { part, bytes: end - at, commitment: commitmentOf(plain.subarray(at - saltBytes, end)) }
  })
}

/** Where a body lies in an opened box, its salt just before it. */
interface BodyPlace {
  readonly part: BodyPart
  readonly at: number
  readonly end: number
}

function open<Opened>(
  key: KeyObject,
  context: string,
  sealed: Uint8Array,
  read: (plain: Buffer, place: BodyPlace) => Opened,
): Opened[] | null {
  if (sealed.length < nonceBytes + tagBytes) return null
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const plain = decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes))
  try {
    decipher.final()
  } catch {
    // The one thing `final` throws for is a tag that does not fit: the caller is told so by null and must not go on.
    return null
  }
  const opened: Opened[] = []
  for (let header = 0; header < plain.length;) {
    const part = bodyParts[plain[header] ?? -1]
    const at = header + headerBytes
    const end = at + plain.readUInt32BE(header + 1)
    if (part === undefined || end > plain.length) return null
    opened.push(read(plain, { part, at, end }))
    header = end
  }
  return opened
}

/** Bytes of a box with bodies of these lengths. */
export function sealedBytes(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + headerBytes + length, nonceBytes + tagBytes)
}

/** SHA-256 over 16 salt bytes and the body. The salt's length is fixed, so the two cannot run into each other. */
function commitmentOf(saltAndBody: Uint8Array): Digest {
  return `sha256:${hash('sha256', saltAndBody)}`
}
