import { beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../kernel/index.ts'
import { createApiKeyVerifier } from './api-key-verifier.ts'
import type { Authenticator } from './authenticator.ts'
import { createAuthenticator } from './create-authenticator.ts'
import type { CredentialStore, StoredCredential, StoredKey, StoredPrincipal } from './credential-store.ts'
import { createIdentityRegistry } from './create-identity-registry.ts'
import type { IdentityRegistry } from './identity-registry.ts'

/** A store that remembers, so that a second registry over it sees what the first one wrote. */
function memoryStore(): CredentialStore & { keys: Map<string, StoredKey> } {
  const principals = new Map<string, StoredPrincipal>()
  const keys = new Map<string, StoredKey>()
  const credentials = new Map<string, StoredCredential>()
  return {
    keys,
    load: async () => ({
      principals: [...principals.values()],
      keys: [...keys.values()],
      credentials: [...credentials.values()],
    }),
    insertPrincipal: async (principal) => void principals.set(principal.id, principal),
    async updatePrincipal(id, change) {
      const principal = principals.get(id)
      if (principal !== undefined) principals.set(id, { ...principal, ...change })
    },
    insertKey: async (key) => void keys.set(key.id, key),
    async revokeKey(id, atMs) {
      const key = keys.get(id)
      if (key !== undefined) keys.set(id, { ...key, revokedAtMs: atMs })
    },
    insertCredential: async (credential) => void credentials.set(credential.id, credential),
    async revokeCredential(id, atMs) {
      const credential = credentials.get(id)
      if (credential !== undefined) credentials.set(id, { ...credential, revokedAtMs: atMs })
    },
  }
}

const authenticatorOver = (from: IdentityRegistry) => createAuthenticator([createApiKeyVerifier(from)])

let nowMs: number
let store: ReturnType<typeof memoryStore>
let registry: IdentityRegistry
let authenticator: Authenticator
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }

beforeEach(async () => {
  nowMs = 1_800_000_000_000
  store = memoryStore()
  registry = await createIdentityRegistry(store, clock)
  authenticator = authenticatorOver(registry)
  await registry.addAgent('demo', 'analyst', ['b', 'a', 'a'])
})

async function makeKey(expiresAtMs: number | null = null): Promise<string> {
  return (await registry.createKey('demo/analyst', { label: 'test', scopes: ['mcp'], expiresAtMs })).text
}

const present = (...authorization: string[]) =>
  authenticator.authenticate({
    authorization,
    dpop: [],
    method: 'POST',
    publicUrl: 'http://127.0.0.1:7433',
    url: 'http://127.0.0.1:7433/mcp/demo',
    certificateSha256: null,
    address: '127.0.0.1',
    claimedName: 'x',
  })

describe('API keys', () => {
  it('prove the agent that they were made for', async () => {
    const result = await present(`Bearer ${await makeKey()}`)
    expect(result).toMatchObject({
      ok: true,
      caller: {
        principal: { type: 'agent', id: 'demo/analyst', namespace: 'demo', groups: ['a', 'b'] },
        authentication: { method: 'api-key', scopes: ['mcp'], senderConstrained: false },
      },
    })
  })

  it('are stored as a hash only', async () => {
    const text = await makeKey()
    const secret = text.slice('mcpw_'.length + 13)
    expect(secret).toHaveLength(43)
    expect(JSON.stringify([...store.keys.values()])).not.toContain(secret)
    expect(JSON.stringify(registry.listKeys('demo/analyst'))).not.toMatch(/sha256|Sha256/)
  })

  it('are refused from the next request on once revoked, also after a restart', async () => {
    const text = await makeKey()
    const id = text.split('_')[1] ?? ''
    await registry.revokeKey('demo', id)
    expect(await present(`Bearer ${text}`)).toMatchObject({ ok: false, code: 'credential_invalid' })
    authenticator = authenticatorOver(await createIdentityRegistry(store, clock))
    expect(await present(`Bearer ${text}`)).toMatchObject({ ok: false, code: 'credential_invalid' })
  })

  it('are refused once they expire', async () => {
    const text = await makeKey(nowMs + 1000)
    expect(await present(`Bearer ${text}`)).toMatchObject({ ok: true })
    nowMs += 1000
    expect(await present(`Bearer ${text}`)).toMatchObject({ ok: false, code: 'credential_invalid' })
  })

  it('are refused when their agent is revoked, and its name is never given out again', async () => {
    const text = await makeKey()
    await registry.revokePrincipal('demo/analyst')
    expect(await present(`Bearer ${text}`)).toMatchObject({ ok: false })
    await expect(registry.addAgent('demo', 'analyst', [])).rejects.toMatchObject({ code: 'already_exists' })
  })

  it('stay revoked with their agent when its groups are changed at the same time', async () => {
    const text = await makeKey()
    await Promise.all([registry.revokePrincipal('demo/analyst'), registry.setGroups('demo/analyst', ['c'])])
    expect(await present(`Bearer ${text}`)).toMatchObject({ ok: false, code: 'credential_invalid' })
    expect(registry.findPrincipal('demo/analyst')).toMatchObject({ revokedAtMs: nowMs, groups: ['c'] })
  })

  it('cannot be revoked from another namespace', async () => {
    const text = await makeKey()
    await expect(registry.revokeKey('other', text.split('_')[1] ?? '')).rejects.toMatchObject({
      code: 'unknown_object',
    })
    expect(await present(`Bearer ${text}`)).toMatchObject({ ok: true })
  })

  it.each([
    ['no header', []],
    ['an empty header', ['']],
    ['another scheme', ['Basic bWNwdzo=']],
    ['no secret', ['Bearer mcpw_aaaaaaaaaaaa_']],
    ['an unknown id', [`Bearer mcpw_aaaaaaaaaaaa_${'A'.repeat(43)}`]],
    ['an id of the prototype', [`Bearer mcpw___proto_____${'A'.repeat(43)}`]],
  ])('are refused with %s, without saying what was wrong', async (_, headers) => {
    const result = await present(...headers)
    expect(result).toMatchObject({
      ok: false,
      code: headers.length === 0 ? 'credential_missing' : 'credential_invalid',
    })
  })

  it('are refused with a wrong secret of the right form', async () => {
    const text = await makeKey()
    const last = text.at(-2) === 'A' ? 'B' : 'A'
    expect(await present(`Bearer ${text.slice(0, -2)}${last}${text.at(-1) ?? ''}`)).toMatchObject({
      ok: false,
      code: 'credential_invalid',
    })
  })

  it('are refused when the header comes twice, even with the same good key', async () => {
    const text = await makeKey()
    expect(await present(`Bearer ${text}`, `Bearer ${text}`)).toMatchObject({ ok: false, code: 'credential_invalid' })
  })
})

describe('agents', () => {
  it.each(['', 'a', 'Analyst', 'a b', '-a', 'a-', '../x', 'a'.repeat(41)])('cannot be named %j', async (name) => {
    await expect(registry.addAgent('demo', name, [])).rejects.toMatchObject({ code: 'name_invalid' })
  })

  it('get no key when they do not exist', async () => {
    await expect(
      registry.createKey('demo/nobody', { label: '', scopes: ['mcp'], expiresAtMs: null }),
    ).rejects.toMatchObject({ code: 'unknown_object' })
  })
})
