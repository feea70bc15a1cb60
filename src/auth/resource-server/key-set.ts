import type { KeyObject } from 'node:crypto'
import { isJsonObject, type Clock, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { importPublicJwk, readPublicJwk } from '../signatures/public-jwk.ts'
import { fitsAlgorithm, isSignatureAlgorithm, type SignatureAlgorithm } from '../signatures/signature-algorithm.ts'

/** A key that an issuer signs with, or why it cannot be had. */
export type KeyLookup =
  | { readonly ok: true; readonly key: KeyObject }
  | { readonly ok: false; readonly why: 'unknown' | 'unavailable' }

/** The keys of one issuer. */
export interface KeySet {
  /** The key of that id for that algorithm; without an id the only one that fits. */
  find(kid: string | null, algorithm: SignatureAlgorithm): Promise<KeyLookup>
}

/** What a key set stands on. */
export interface KeySetParts {
  /** The issuer's JWK set (RFC 7517 section 5) as it is now; `null` where it cannot be had. Never rejects. */
  fetchKeys(): Promise<JsonObject | null>
  readonly clock: Clock
  readonly freshSeconds: number
  readonly keptSeconds: number
}

interface PublishedKey {
  readonly kid: string | null
  readonly algorithm: string | null
  readonly key: KeyObject
}

/** After a fetch that failed, and between two for unknown key ids: who sends such ids causes no more than this. */
const pauseMs = 30_000
const maxKeys = 100

/**
 * Keeps the keys of an issuer: fetched when first needed, again once they are `freshSeconds` old, and once for a key id
 * that is not among them, which is how a rotation shows. Each fetch replaces all keys, so that a withdrawn one is gone.
 * While there is no answer the last good keys are relied on until they are `keptSeconds` old, and then none.
 */
export function createKeySet({ fetchKeys, clock, freshSeconds, keptSeconds }: KeySetParts): KeySet {
  let keys: readonly PublishedKey[] = []
  let fetchedAtMs = Number.NEGATIVE_INFINITY
  let failedAtMs = Number.NEGATIVE_INFINITY
  let soughtAtMs = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | null = null

  async function fetchOnce(): Promise<void> {
    const published = readKeys(await fetchKeys())
    // An empty set is no answer: it would shut everybody out where the last good one need not.
    if (published.length === 0) {
      failedAtMs = clock.monotonicMs()
      return
    }
    keys = published
    fetchedAtMs = clock.monotonicMs()
  }

  const ageMs = (): number => clock.monotonicMs() - fetchedAtMs
  const isWithin = (ms: number, sinceMs: number): boolean => clock.monotonicMs() - sinceMs < ms

  async function fetchUnlessFailed(): Promise<void> {
    if (underWay === null && isWithin(pauseMs, failedAtMs)) return
    underWay ??= fetchOnce().finally(() => {
      underWay = null
    })
    await underWay
  }

  return {
    async find(kid, algorithm) {
      if (ageMs() > freshSeconds * 1000) await fetchUnlessFailed()
      if (ageMs() > keptSeconds * 1000) return { ok: false, why: 'unavailable' }
      const known = choose(keys, kid, algorithm)
      if (known !== null) return { ok: true, key: known }
      if (!isWithin(pauseMs, soughtAtMs)) {
        soughtAtMs = clock.monotonicMs()
        await fetchUnlessFailed()
      }
      const found = choose(keys, kid, algorithm)
      return found === null ? { ok: false, why: 'unknown' } : { ok: true, key: found }
    },
  }
}

function choose(keys: readonly PublishedKey[], kid: string | null, algorithm: SignatureAlgorithm): KeyObject | null {
  const fitting = keys.filter(
    (key) =>
      (kid === null || key.kid === kid) &&
      (key.algorithm === null || key.algorithm === algorithm) &&
      fitsAlgorithm(key.key, algorithm),
  )
  return fitting.length === 1 && fitting[0] !== undefined ? fitting[0].key : null
}

/** Keys of a set that are for signatures and can be read. Others are left out: a set may hold keys for other uses. */
function readKeys(set: JsonObject | null): readonly PublishedKey[] {
  const list = set?.keys
  if (!Array.isArray(list) || list.length > maxKeys) return []
  return list.flatMap((jwk) => {
    const key = readKey(jwk)
    return key === null ? [] : [key]
  })
}

function readKey(jwk: JsonValue): PublishedKey | null {
  if (!isJsonObject(jwk)) return null
  const { kid, alg, use, key_ops: operations } = jwk
  if (use !== undefined && use !== 'sig') return null
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null
  if (alg !== undefined && !isSignatureAlgorithm(alg)) return null
  const parts = readPublicJwk(jwk)
  const key = parts === null ? null : importPublicJwk(parts)
  return key === null ? null : { kid: typeof kid === 'string' ? kid : null, algorithm: alg ?? null, key }
}
