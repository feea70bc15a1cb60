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

/** The purpose under which a namespace's data key of one epoch is wrapped. */
export function dataKeyPurpose(namespace: string, epoch: number): string {
  return `data key ${namespace} ${epoch}`
}

/** The key that authenticates the head row (HKDF-SHA-256, RFC 5869). */
export function headKey(masterKey: Uint8Array): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', masterKey, '', 'mcpworks audit head', 32)))
}

function wrappingKey(masterKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', masterKey, '', 'mcpworks key wrapping', 32))
}
