import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createApiKeyVerifier,
  createAuthenticator,
  createMemoryProofReplayStore,
  createProofVerifier,
  createResourceServer,
  type Authenticator,
} from '../../../src/auth/index.ts'
import { authConfigSchema } from '../../../src/auth/config.ts'
import { createGuardedFetch } from '../../../src/egress/index.ts'
import { authenticationFacts } from '../../../src/gateway/steps/decide.ts'
import type { Caller } from '../../../src/kernel/index.ts'
import { createCedarPolicyEngine, type PolicyDecision } from '../../../src/policy/index.ts'
import { createJwsSigner } from '../../support/jws-signer.ts'
import { startTokenDoor, type TokenDoor } from '../../support/token-door.ts'

// A4 of design/threats.md: where policy asks for a credential bound to a key, a stolen one opens nothing, however good
// it is at the door. From the headers of a request to the decision.

const everybody = 'permit (principal, action == Action::"call", resource);'
const onlyBound = `forbid (principal, action == Action::"call", resource) unless { context.authn.sender_constrained };`
const onlyByProof = `forbid (principal, action == Action::"call", resource) unless { context.authn.binding == "dpop" };`
const notFor = `forbid (principal, action == Action::"call", resource) when { context.authn.actors.contains("demo/stranger") };`
const onlyClient = (issuer: string): string =>
  `forbid (principal, action == Action::"call", resource) unless { context.authn.issuer == "${issuer}" && context.authn.client == "client" };`

let door: TokenDoor
let authenticator: Authenticator
const key = createJwsSigner()
beforeAll(async () => {
  door = await startTokenDoor()
  const { clock, registry } = door
  const { introspection, tokens } = authConfigSchema.parse({})
  const verifier = createResourceServer({
    registry,
    localKeys: { find: () => ({ algorithm: 'ES256', publicKey: door.signer.publicKey }), isRevoked: () => false },
    proofs: createProofVerifier({ replay: createMemoryProofReplayStore(clock, 1000), nonces: null, clock }),
    issuers: [],
    introspection,
    tokens,
    guardedFetch: createGuardedFetch(),
    tokenIdKey: Buffer.alloc(32, 8),
    clock,
  })
  authenticator = createAuthenticator([createApiKeyVerifier(registry), verifier])
})
afterAll(() => door.close())

interface Sent {
  readonly authorization: string
  readonly dpop?: string
  readonly certificateSha256?: string
}

/** Who the door takes the caller of these credentials for. */
async function enter(sent: Sent): Promise<Caller> {
  const known = await authenticator.authenticate({
    authorization: [sent.authorization],
    dpop: sent.dpop === undefined ? [] : [sent.dpop],
    method: 'POST',
    publicUrl: door.url,
    url: `${door.url}/mcp/demo`,
    certificateSha256: sent.certificateSha256 ?? null,
    address: '127.0.0.1',
    claimedName: null,
  })
  if (!known.ok) throw new Error(known.reason)
  return known.caller
}

/** What policy says to a call with these credentials, once they are good at the door. */
async function decide(policies: readonly string[], sent: Sent): Promise<PolicyDecision['effect']> {
  const engine = createCedarPolicyEngine()
  const tools = [{ name: 'echo', service: 'test', inputSchema: { type: 'object' } }]
  const check = engine.install([{ file: 'a.cedar', text: policies.join('\n') }], { namespace: 'demo', tools })
  if (!check.ok) throw new Error(JSON.stringify(check.problems))
  const { principal, authentication } = await enter(sent)
  const { effect } = engine.decide({
    principal,
    action: 'call',
    resource: { type: 'Tool', id: 'demo/echo', namespace: 'demo', service: 'test' },
    arguments: {},
    context: {
      authentication: authenticationFacts(authentication, door.clock.nowMs()),
      door: 'tool',
      operation: '',
      labels: [],
      timeMs: door.clock.nowMs(),
      address: '127.0.0.1',
    },
  })
  return effect
}

const bearer = (): Sent => ({ authorization: `Bearer ${door.token()}` })
function byProof(): Sent {
  const token = door.token({ cnf: { jkt: key.thumbprint } })
  return { authorization: `DPoP ${token}`, dpop: door.proof(key, token) }
}
function byCertificate(): Sent {
  const certificateSha256 = 'A'.repeat(43)
  return { authorization: `Bearer ${door.token({ cnf: { 'x5t#S256': certificateSha256 } })}`, certificateSha256 }
}
async function byKey(): Promise<Sent> {
  const { text } = await door.registry.createKey('demo/analyst', { label: '', scopes: ['mcp'], expiresAtMs: null })
  return { authorization: `Bearer ${text}` }
}

describe('a policy that asks for a bound credential', () => {
  it('denies bearer tokens and API keys, and allows what is bound to a key', async () => {
    const policies = [everybody, onlyBound]
    expect(await decide(policies, bearer())).toBe('deny')
    expect(await decide(policies, await byKey())).toBe('deny')
    expect(await decide(policies, byProof())).toBe('allow')
    expect(await decide(policies, byCertificate())).toBe('allow')
    // Negative control: without the policy all of them are let through.
    expect(await decide([everybody], bearer())).toBe('allow')
    expect(await decide([everybody], await byKey())).toBe('allow')
  })

  it('can ask for the kind of binding', async () => {
    const policies = [everybody, onlyByProof]
    expect(await decide(policies, byCertificate())).toBe('deny')
    expect(await decide(policies, bearer())).toBe('deny')
    expect(await decide(policies, byProof())).toBe('allow')
  })

  it('can ask for issuer and client, and refuse who acts', async () => {
    const policies = [everybody, onlyClient(door.url), notFor]
    const acting = (sub: string): Sent => ({ authorization: `Bearer ${door.token({ act: { sub } })}` })
    expect(await decide(policies, await byKey())).toBe('deny')
    expect(await decide(policies, { authorization: `Bearer ${door.token({ client_id: 'other' })}` })).toBe('deny')
    expect(await decide(policies, acting('demo/stranger'))).toBe('deny')
    expect(await decide(policies, acting('demo/colleague'))).toBe('allow')
    expect(await decide(policies, bearer())).toBe('allow')
  })
})

describe('what records name a credential by', () => {
  it('is the thumbprint of the key that was proved, and a keyed digest of the id of the token', async () => {
    const jti = 'canary-4711'
    const token = door.token({ jti, cnf: { jkt: key.thumbprint } })
    const once = await enter({ authorization: `DPoP ${token}`, dpop: door.proof(key, token) })
    const again = await enter({ authorization: `DPoP ${token}`, dpop: door.proof(key, token) })
    const named = createHmac('sha256', Buffer.alloc(32, 8)).update(jti).digest('hex')
    expect(once.authentication).toMatchObject({
      keyThumbprint: key.thumbprint,
      token: { tokenIdHmac: `hmac-sha256:${named}` },
    })
    expect(again.authentication).toEqual(once.authentication)
    expect((await enter(byCertificate())).authentication.keyThumbprint).toBe('A'.repeat(43))
  })

  it('is another for another token, and nothing of the kind for a credential without a key or a token', async () => {
    const [first, second] = [(await enter(bearer())).authentication, (await enter(bearer())).authentication]
    expect(first.token?.tokenIdHmac).toMatch(/^hmac-sha256:[0-9a-f]{64}$/)
    expect(first.token?.tokenIdHmac).not.toBe(second.token?.tokenIdHmac)
    expect(first).not.toHaveProperty('keyThumbprint')
    expect((await enter(await byKey())).authentication).not.toHaveProperty('token')
  })
})
