import type { Operation } from '../../src/contract/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/kernel/index.ts'

/** What members of inputs can be; each place gets the first that its schema takes. */
const candidates: readonly JsonValue[] = [
  'abcdefghij12',
  'leads-count',
  '01900000-0000-7000-8000-000000000000',
  `sha256:${'0'.repeat(64)}`,
  'app-abcdefghij12',
  'https://client.example/cb',
  '2026-01-01T00:00:00Z',
  'permit (principal, action, resource);',
  'UTC',
  '2026-11',
  '000',
  '0',
  1,
  3600,
  true,
  {},
  [],
  [{}],
  ['abcdefghij12'],
  ['https://client.example/cb'],
  { sub: 'abcdefghij12' },
  [{ path: 'policies/a.cedar', text: '' }],
]

type Place = readonly (string | number)[]

/**
 * An input that fits an operation of the contract, found by trying: so that tests which drive every operation take in a
 * new one by themselves. @throws Error where nothing fits
 */
function sampleOf(operation: Operation): JsonObject {
  let input: JsonObject = {}
  const tried = new Map<string, number>()
  for (let round = 0; round < 200; round += 1) {
    const parsed = operation.input.safeParse(input)
    if (parsed.success) return input
    const [issue] = parsed.error.issues
    const place = (issue?.path ?? []) as Place
    const key = JSON.stringify(place)
    const allowed = issue?.code === 'invalid_value' ? (issue.values as JsonValue[]) : candidates
    const next = tried.get(key) ?? 0
    const value = allowed[next]
    if (place.length === 0 || value === undefined)
      throw new Error(`no sample fits ${operation.name} at ${key}: ${issue?.message}`)
    tried.set(key, next + 1)
    input = withValue(input, place, value) as JsonObject
  }
  throw new Error(`no sample fits ${operation.name}`)
}

/** Method, path and body of a request for the operation. */
export function requestOf(operation: Operation): { method: string; path: string; body: JsonObject | null } {
  const rest: Record<string, JsonValue> = { ...sampleOf(operation) }
  if (Object.hasOwn(rest, 'namespace')) rest.namespace = 'demo'
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = String(rest[name])
    delete rest[name]
    return value
  })
  if (operation.method === 'POST') return { method: 'POST', path, body: rest }
  const query = new URLSearchParams(
    Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()
  return { method: operation.method, path: query === '' ? path : `${path}?${query}`, body: null }
}

function withValue(at: JsonValue | undefined, [step, ...deeper]: Place, value: JsonValue): JsonValue {
  if (step === undefined) return value
  if (typeof step === 'number') {
    const list = Array.isArray(at) ? [...at] : []
    list[step] = withValue(list[step], deeper, value)
    return list
  }
  const object = isJsonObject(at) ? at : {}
  return { ...object, [step]: withValue(object[step], deeper, value) }
}
