import type { AddressRules, FetchRefusal, GuardedFetch, OutgoingRequest } from '../../egress/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/** The JSON object that was answered, or why there is none. */
export type FetchedJson =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly reason: FetchRefusal | 'status' | 'not-json' }

const maxBytes = 256 * 1024
const timeoutMs = 5000

/** Asks an issuer for one JSON object, in 5 seconds and 256 KiB. Does not check what is in it. */
export async function fetchJson(
  guardedFetch: GuardedFetch,
  url: string,
  request: OutgoingRequest,
  allow: AddressRules,
): Promise<FetchedJson> {
  const headers = { accept: 'application/json, application/jwk-set+json', ...request.headers }
  const purpose = `issuer ${new URL(url).origin}`
  const answer = await guardedFetch(url, { ...request, headers }, { purpose, maxBytes, timeoutMs, allow })
  if (!answer.ok) return answer
  if (answer.status !== 200) return { ok: false, reason: 'status' }
  const type = answer.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json' && type !== 'application/jwk-set+json') return { ok: false, reason: 'not-json' }
  const value = parse(answer.body)
  return isJsonObject(value) ? { ok: true, value } : { ok: false, reason: 'not-json' }
}

function parse(body: Uint8Array): JsonValue | null {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as JsonValue
  } catch {
    return null
  }
}
