import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { Clock, JsonObject } from '../../kernel/index.ts'
import type { MasterKey } from '../master-key.ts'
import type { SigningAlgorithm, SigningKeyStore, StoredSigningKey } from './signing-key-store.ts'

/** The key that signs, and where verifiers find its public half. */
export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
}

/** The keys of access tokens. */
export interface SigningKeys {
  /** The key to sign with now. */
  current(): SigningKey
  find(kid: string): { readonly algorithm: SigningAlgorithm; readonly publicKey: KeyObject } | null
  /** A JWK set (RFC 7517 section 5) of every key that a token in use can be signed by. */
  publicJwks(): JsonObject
  /** Signs with a new key from now on. The former one stays published. @throws McpworksError `storage_unavailable` */
  rotate(): Promise<SigningKey>
  /** Rotates where the key is older than its age limit, and forgets keys whose last token has expired. */
  tend(): Promise<void>
}

/** What the keys stand on. */
export interface SigningKeysOptions {
  readonly store: SigningKeyStore
  readonly masterKey: MasterKey
  readonly clock: Clock
  readonly algorithm: SigningAlgorithm
  readonly maxAgeMs: number
  /** How long a token can be good after its key was retired, clock differences included. */
  readonly publishedAfterMs: number
}

interface LoadedKey extends SigningKey {
  readonly stored: StoredSigningKey
  readonly publicKey: KeyObject
}

/**
 * Loads the keys, or makes the first one. Private halves are sealed under the master key in the store and in no file.
 * @throws McpworksError `storage_unavailable` where the master key is not theirs
 */
export async function createSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { store, masterKey, clock, algorithm, maxAgeMs, publishedAfterMs } = options
  const keys = new Map((await store.load()).map((stored) => [stored.kid, open(stored)]))

  function open(stored: StoredSigningKey): LoadedKey {
    const jwk = JSON.parse(Buffer.from(masterKey.open(purposeOf(stored.kid), stored.sealedPrivate)).toString()) as JWK
    return loaded(stored, createPrivateKey({ key: jwk, format: 'jwk' }))
  }

  async function make(): Promise<SigningKey> {
    const { privateKey } =
      algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
    const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' })
    const kid = await calculateJwkThumbprint(publicJwk)
    const stored: StoredSigningKey = {
      kid,
      algorithm,
      publicJwk: { ...(publicJwk as JsonObject), kid, alg: algorithm, use: 'sig' },
      sealedPrivate: masterKey.seal(purposeOf(kid), Buffer.from(JSON.stringify(privateKey.export({ format: 'jwk' })))),
      createdAtMs: clock.nowMs(),
      retiredAtMs: null,
    }
    await store.insert(stored)
    const key = loaded(stored, privateKey)
    keys.set(kid, key)
    return key
  }

  async function retire(key: LoadedKey): Promise<void> {
    const retiredAtMs = clock.nowMs()
    await store.retire(key.kid, retiredAtMs)
    keys.set(key.kid, { ...key, stored: { ...key.stored, retiredAtMs } })
  }

  function newest(): LoadedKey | undefined {
    const usable = [...keys.values()].filter(({ stored }) => stored.retiredAtMs === null)
    return usable.sort((left, right) => right.stored.createdAtMs - left.stored.createdAtMs)[0]
  }

  async function rotate(): Promise<SigningKey> {
    const former = [...keys.values()].filter(({ stored }) => stored.retiredAtMs === null)
    const made = await make()
    for (const key of former) await retire(key)
    return made
  }

  const first = newest()
  if (first === undefined || first.algorithm !== algorithm) await rotate()

  return {
    current() {
      const key = newest()
      if (key === undefined) throw new Error('there is no signing key')
      return key
    },
    find: (kid) => keys.get(kid) ?? null,
    publicJwks: () => ({ keys: [...keys.values()].map(({ stored }) => stored.publicJwk) }),
    rotate,
    async tend() {
      const key = newest()
      if (key !== undefined && key.stored.createdAtMs + maxAgeMs <= clock.nowMs()) await rotate()
      for (const { kid, stored } of keys.values()) {
        if (stored.retiredAtMs === null || stored.retiredAtMs + publishedAfterMs > clock.nowMs()) continue
        await store.remove(kid)
        keys.delete(kid)
      }
    },
  }
}

function loaded(stored: StoredSigningKey, privateKey: KeyObject): LoadedKey {
  const { kid, algorithm } = stored
  return { kid, algorithm, privateKey, publicKey: createPublicKey(privateKey), stored }
}

function purposeOf(kid: string): string {
  return `signing key ${kid}`
}
