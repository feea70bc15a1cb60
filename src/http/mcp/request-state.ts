import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { canonicalJson, digestJson, type Clock, type JsonObject } from '../../kernel/index.ts'

/** What a sealed state is good for: nobody else, nowhere else, for no other request. */
export interface StateBinding {
  readonly principal: string
  readonly credential: string
  readonly namespace: string
  readonly method: string
  /** The request's parameters without `_meta`, `inputResponses` and `requestState`. */
  readonly params: JsonObject
}

/** Seals the state of multi-round-trip requests (MCP 2026-07-28 `requestState`), so that the client can hold it. */
export interface RequestStateSealer {
  /** Text of unreserved characters that `open` takes once, until it expires. */
  seal(state: string | null, binding: StateBinding): string
  /** The state, or why it is no good. A good one is used up. */
  open(
    sealed: string,
    binding: StateBinding,
  ): { readonly ok: true; readonly state: string | null } | { readonly ok: false }
}

const ivBytes = 12
const tagBytes = 16
const expiryBytes = 8
const maxSealedLength = 1024 * 1024

/**
 * AES-256-GCM with a random 96-bit IV; the binding is associated data, so a state moved to another principal,
 * credential, namespace, method or set of parameters does not open. Used IVs are remembered until they expire, at most
 * `maxUsed` of them: beyond that states are refused rather than taken twice. Replays are seen by this process only.
 */
export function createRequestStateSealer(options: {
  readonly key: Uint8Array
  readonly lifetimeSeconds: number
  readonly clock: Clock
  readonly maxUsed: number
}): RequestStateSealer {
  const { key, clock, maxUsed } = options
  const used = new Map<string, number>()
  const forgetExpired = (nowMs: number): void => {
    // Insertion order is not expiry order, but near enough: the rest goes at a later call.
    for (const [iv, expiresAtMs] of used) {
      if (expiresAtMs > nowMs) break
      used.delete(iv)
    }
  }
  return {
    seal(state, binding) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      cipher.setAAD(associatedData(binding))
      const expiry = Buffer.alloc(expiryBytes)
      expiry.writeDoubleBE(clock.nowMs() + options.lifetimeSeconds * 1000)
      const body = Buffer.concat([cipher.update(expiry), cipher.update(JSON.stringify(state)), cipher.final()])
      return Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed, binding) {
      if (sealed.length > maxSealedLength || !/^[A-Za-z0-9_-]+$/.test(sealed)) return { ok: false }
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < ivBytes + expiryBytes + tagBytes || bytes.toString('base64url') !== sealed)
        return { ok: false }
      const iv = bytes.subarray(0, ivBytes)
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
      decipher.setAAD(associatedData(binding))
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      let plain: Buffer
      try {
        plain = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()])
      } catch {
        return { ok: false }
      }
      const nowMs = clock.nowMs()
      const expiresAtMs = plain.readDoubleBE(0)
      const name = iv.toString('base64')
      forgetExpired(nowMs)
      if (!(expiresAtMs > nowMs) || used.has(name) || used.size >= maxUsed) return { ok: false }
      used.set(name, expiresAtMs)
      return { ok: true, state: JSON.parse(plain.subarray(expiryBytes).toString('utf8')) as string | null }
    },
  }
}

function associatedData(binding: StateBinding): Buffer {
  const { principal, credential, namespace, method, params } = binding
  return Buffer.from(
    canonicalJson(['mcpworks request state 1', principal, credential, namespace, method, digestJson(params)]),
  )
}
