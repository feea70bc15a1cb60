import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'
import { McpworksError } from '../kernel/index.ts'

const nonceBytes = 12
const tagBytes = 16

/** Wraps a key under the master key (AES-256-GCM). `purpose` is authenticated: a wrapped key opens for nothing else. */
export function wrapKey(masterKey: Uint8Array, purpose: string, key: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(masterKey), nonce)
  cipher.setAAD(Buffer.from(purpose))
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()])
}

/** @throws McpworksError `storage_unavailable` where the master key is not the one it was wrapped under. */
export function unwrapKey(masterKey: Uint8Array, purpose: string, wrapped: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv('aes-256-gcm', wrappingKey(masterKey), wrapped.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    })
    decipher.setAAD(Buffer.from(purpose))
    decipher.setAuthTag(wrapped.subarray(wrapped.length - tagBytes))
    return Buffer.concat([decipher.update(wrapped.subarray(nonceBytes, wrapped.length - tagBytes)), decipher.final()])
  } catch (cause) {
    throw new McpworksError('storage_unavailable', {
      message: 'The master key is not the one that this data directory was made with. Put the right one back.',
      cause,
    })
  }
}

/** Whose bodies a data key seals. */
export interface DataKeyOwner {
  readonly namespace: string
  /** Id of a principal; empty for a key that seals those of everybody. */
  readonly subject: string
  /** Start of the writer that made it. */
  readonly epoch: number
}

/** The purpose under which a data key is wrapped. */
export function dataKeyPurpose({ namespace, subject, epoch }: DataKeyOwner): string {
  // A namespace's name holds no space, and the subject stands last: no two owners have one purpose.
  return subject === '' ? `data key ${namespace} ${epoch}` : `data key ${namespace} ${epoch} ${subject}`
}

/** Whether a wrapped key is that owner's: the row that says so can be changed by whoever can change the database. */
export function wrapsKeyOf(masterKey: Uint8Array, owner: DataKeyOwner, wrapped: Uint8Array): boolean {
  try {
    unwrapKey(masterKey, dataKeyPurpose(owner), wrapped)
    return true
  } catch {
    // It was wrapped for another owner, or changed.
    return false
  }
}

/** The key that authenticates the head row (HKDF-SHA-256, RFC 5869). */
export function headKey(masterKey: Uint8Array): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', masterKey, '', 'mcpworks audit head', 32)))
}

function wrappingKey(masterKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', masterKey, '', 'mcpworks key wrapping', 32))
}
