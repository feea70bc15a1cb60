import { createCipheriv, createDecipheriv, hash, type KeyObject } from 'node:crypto'
import type { Digest } from '../kernel/index.ts'

const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16

/** Bytes that sealing adds to a body: nonce, salt and tag. */
export const sealedOverheadBytes = nonceBytes + saltBytes + tagBytes

/** A body ready to be stored beside its record, and what the record says of it. */
export interface SealedBody {
  /** Salted: tells nothing about a guessable body to whoever has no key. */
  readonly commitment: Digest
  /** UTF-8 bytes of the body. */
  readonly bytes: number
  /** Nonce, AES-256-GCM ciphertext of salt and body, tag. */
  readonly sealed: Uint8Array
}

/** Gives that many bytes nobody can guess and nobody else was given. */
export type RandomBytes = (count: number) => Uint8Array

/**
 * Encrypts a body under a 256-bit key (AES-256-GCM, NIST SP 800-38D) and commits to it.
 * The salt is inside the ciphertext, so that losing the key loses the power to test guesses against the record.
 * The key is a KeyObject because handing over raw bytes makes node build one each time, at four times the cost of the rest.
 * `context` is authenticated: a body moved to another record or part does not open.
 */
export function sealBody(key: KeyObject, random: RandomBytes, context: string, body: string): SealedBody {
  const length = Buffer.byteLength(body)
  const plain = Buffer.allocUnsafe(saltBytes + length)
  plain.set(random(saltBytes))
  plain.write(body, saltBytes)
  const sealed = Buffer.allocUnsafe(sealedOverheadBytes + length)
  const nonce = random(nonceBytes)
  sealed.set(nonce)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(context))
  sealed.set(cipher.update(plain), nonceBytes)
  cipher.final()
  sealed.set(cipher.getAuthTag(), nonceBytes + plain.length)
  return { commitment: commitmentOf(plain), bytes: length, sealed }
}

/** The body, or `null` where key, context or bytes are not those it was sealed with. */
export function openBody(
  key: KeyObject,
  context: string,
  sealed: Uint8Array,
): { body: string; commitment: Digest } | null {
  if (sealed.length < sealedOverheadBytes) return null
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
  return { body: plain.toString('utf8', saltBytes), commitment: commitmentOf(plain) }
}

/** SHA-256 over 16 salt bytes and the body. The salt's length is fixed, so the two cannot run into each other. */
function commitmentOf(saltAndBody: Uint8Array): Digest {
  return `sha256:${hash('sha256', saltAndBody)}`
}
