import { verify } from 'node:crypto'
import { cpus } from 'node:os'
import {
  createApiKeyVerifier,
  createAuthenticator,
  createIdentityRegistry,
  createMemoryProofReplayStore,
  createProofVerifier,
  createResourceServer,
  type Authenticator,
  type Presented,
} from '../../src/auth/index.ts'
import { authConfigSchema } from '../../src/auth/config.ts'
import type { GuardedFetch } from '../../src/egress/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { createJwsSigner, dpopProof, type JwsSigner, type SignerAlgorithm } from '../support/jws-signer.ts'
import { createMemoryCredentialStore } from '../support/memory-credential-store.ts'
import { round } from './load.ts'

/*
 * What it costs to know the caller of a request, against a bare ES256 signature check with node:crypto in the same run:
 * API key, access tokens by three algorithms with and without the cache, and a token bound to a key by DPoP.
 */

interface Result {
  readonly case: string
  readonly callers: 1
  readonly p50_ms: number
  readonly p99_ms: number
  readonly per_second: number
  readonly cpu_ms: number
}

/** Work of one sample: below some microseconds a single call cannot be timed. */
const perSample = 20
const publicUrl = 'http://127.0.0.1:7433'
const url = `${publicUrl}/mcp/demo`

async function measure(name: string, samples: number, work: (round: number) => unknown): Promise<Result> {
  let round = 0
  const sample = async (): Promise<number> => {
    const start = performance.now()
    for (let index = 0; index < perSample; index += 1) await work(round++)
    return (performance.now() - start) / perSample
  }
  for (let index = 0; index < samples / 4; index += 1) await sample()
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const times: number[] = []
  for (let index = 0; index < samples; index += 1) times.push(await sample())
  const elapsed = performance.now() - begun
  const used = process.cpuUsage(cpu)
  times.sort((left, right) => left - right)
  const at = (share: number): number => precise(times[Math.floor(times.length * share)] ?? 0)
  const count = samples * perSample
  return {
    case: name,
    callers: 1,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    per_second: Math.round((count / elapsed) * 1000),
    cpu_ms: precise((used.user + used.system) / 1000 / count),
  }
}

/** Five decimals: the cheapest cases take microseconds. */
function precise(value: number): number {
  return Math.round(value * 100_000) / 100_000
}

const algorithms: readonly SignerAlgorithm[] = ['ES256', 'EdDSA', 'RS256']
const signers = new Map(algorithms.map((algorithm) => [algorithm, createJwsSigner(algorithm)]))
const issuerOf = (algorithm: SignerAlgorithm): string => `https://${algorithm.toLowerCase()}.example`

const registry = await createIdentityRegistry(createMemoryCredentialStore(), systemClock)
await registry.addAgent('demo', 'analyst', ['analysts'])
const { text: apiKey } = await registry.createKey('demo/analyst', { label: '', scopes: ['mcp'], expiresAtMs: null })
for (const algorithm of algorithms) {
  await registry.addCredential('demo/analyst', {
    kind: 'binding',
    label: '',
    scopes: ['mcp'],
    expiresAtMs: null,
    details: { issuer: issuerOf(algorithm), match: { sub: 'workload' } },
  })
}

/** Answers for the issuers: the network is not what is measured. */
const answerFromMemory: GuardedFetch = async (asked) => {
  const algorithm = algorithms.find((one) => asked.startsWith(issuerOf(one))) ?? 'ES256'
  const keys = [{ ...signers.get(algorithm)?.publicJwk, kid: 'k', alg: algorithm }]
  return {
    ok: true,
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ keys })),
  }
}

function authenticator(maxCached: number): Authenticator {
  const config = authConfigSchema.parse({
    issuers: algorithms.map((one) => ({ issuer: issuerOf(one), jwksUrl: `${issuerOf(one)}/jwks`, algorithms: [one] })),
    tokens: { maxCached },
  })
  const proofs = createProofVerifier({
    replay: createMemoryProofReplayStore(systemClock, 1_000_000),
    nonces: null,
    clock: systemClock,
  })
  const verifier = createResourceServer({
    registry,
    localKeys: null,
    proofs,
    issuers: config.issuers,
    introspection: config.introspection,
    tokens: config.tokens,
    guardedFetch: answerFromMemory,
    tokenIdKey: Buffer.alloc(32, 8),
    clock: systemClock,
  })
  return createAuthenticator([createApiKeyVerifier(registry), verifier])
}

function tokenOf(algorithm: SignerAlgorithm, more: Readonly<Record<string, string | { jkt: string }>> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuerOf(algorithm), aud: url, sub: 'workload', client_id: 'workload', scope: 'mcp', jti: 'a' }
  return mustSigner(algorithm).sign({ typ: 'at+jwt', kid: 'k' }, { ...claims, iat: now, exp: now + 3000, ...more })
}

function mustSigner(algorithm: SignerAlgorithm): JwsSigner {
  const signer = signers.get(algorithm)
  if (signer === undefined) throw new Error(`there is no signer for ${algorithm}`)
  return signer
}

const request = (authorization: string, dpop: readonly string[] = []): Presented => ({
  authorization: [authorization],
  dpop,
  method: 'POST',
  publicUrl,
  url,
  certificateSha256: null,
  address: '127.0.0.1',
  claimedName: 'bench',
})

async function admitted(by: Authenticator, presented: Presented): Promise<void> {
  const result = await by.authenticate(presented)
  if (!result.ok) throw new Error(`a good credential was refused: ${result.reason}`)
}

function bareCheck(): Promise<Result> {
  const token = tokenOf('ES256')
  const dot = token.lastIndexOf('.')
  const signed = Buffer.from(token.slice(0, dot))
  const signature = Buffer.from(token.slice(dot + 1), 'base64url')
  const key = { key: mustSigner('ES256').publicKey, dsaEncoding: 'ieee-p1363' } as const
  return measure('bare ES256 signature check', 200, () => {
    if (!verify('sha256', signed, key, signature)) throw new Error('a good signature was refused')
  })
}

const cached = authenticator(10_000)
const uncached = authenticator(0)
const samples = 200
const proofKey = createJwsSigner('ES256')
const bound = tokenOf('ES256', { cnf: { jkt: proofKey.thumbprint } })
const results: Result[] = []

for (const turn of ['', ' again']) {
  results.push({ ...(await bareCheck()), case: `bare ES256 signature check${turn}` })
  const key = request(`Bearer ${apiKey}`)
  results.push(await measure(`API key${turn}`, 1000, () => admitted(cached, key)))
  for (const algorithm of algorithms) {
    const presented = request(`Bearer ${tokenOf(algorithm)}`)
    results.push(await measure(`cached JWT, ${algorithm}${turn}`, 1000, () => admitted(cached, presented)))
    results.push(await measure(`uncached JWT, ${algorithm}${turn}`, samples, () => admitted(uncached, presented)))
  }
  // Each request has a proof of its own, made beforehand as its client would.
  const proofs = Array.from({ length: (samples * perSample * 5) / 4 }, () =>
    request(`DPoP ${bound}`, [dpopProof(proofKey, { method: 'POST', url, token: bound, nowMs: Date.now() })]),
  )
  results.push(
    await measure(`DPoP-bound JWT, warm caches${turn}`, samples, (index) =>
      admitted(cached, proofs[index] ?? request('')),
    ),
  )
}

const best = (name: string): number =>
  Math.min(...results.filter((result) => result.case.startsWith(name)).map((result) => result.p50_ms))
const goal = (name: string, of: string, most: number) => {
  const measured = round(best(of) / best('bare ES256'))
  return { name, unit: 'x', goal: most, measured, met: measured <= most }
}
const report = {
  benchmark: 'auth',
  machine: { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version },
  results,
  goals: [
    goal('API key over a bare ES256 signature check, p50', 'API key', 0.05),
    goal('cached JWT over a bare ES256 signature check, p50', 'cached JWT, ES256', 0.05),
    goal('DPoP-bound call with warm caches over a bare ES256 signature check, p50', 'DPoP-bound', 2),
  ],
}
process.stdout.write(`${JSON.stringify(report, null, process.argv.includes('--json') ? 0 : 2)}\n`)
