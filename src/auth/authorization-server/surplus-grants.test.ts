import { describe, expect, it } from 'vitest'
import type { StoredCredential } from '../credential-store.ts'
import type { ActiveCredential, IdentityRegistry } from '../identity-registry.ts'
import { mostEqualGrants, surplusGrants } from './surplus-grants.ts'

const details = {
  clientId: 'c',
  clientSource: 'operator',
  userId: 'anna',
  redirectUri: 'https://a.example/',
  resource: 'r',
}

function grant(at: number, change: Partial<StoredCredential> = {}): StoredCredential {
  return {
    id: `grant${at}`,
    kind: 'grant',
    principalId: 'demo/agent',
    label: '',
    scopes: ['mcp'],
    details,
    createdAtMs: at,
    expiresAtMs: null,
    revokedAtMs: null,
    ...change,
  }
}

function registryOf(credentials: readonly StoredCredential[]): Pick<IdentityRegistry, 'listActiveCredentials'> {
  return { listActiveCredentials: () => credentials.map((credential) => ({ credential }) as ActiveCredential) }
}

const many = Array.from({ length: mostEqualGrants }, (_, at) => grant(at))

describe('surplusGrants', () => {
  it('names the oldest beyond the bound', () => {
    expect(surplusGrants(grant(99), registryOf([...many, grant(99)]))).toEqual(['grant0'])
  })

  it('names none within it', () => {
    expect(surplusGrants(grant(19), registryOf(many))).toEqual([])
  })

  it('counts only grants of the same agent, person, client, redirect and resource', () => {
    const others = [
      grant(200, { principalId: 'demo/other' }),
      ...Object.keys(details).map((name, at) => grant(201 + at, { details: { ...details, [name]: 'other' } })),
    ]
    expect(surplusGrants(grant(19), registryOf([...many, ...others]))).toEqual([])
  })

  it('never names the one given last, when several are of one moment', () => {
    const same = Array.from({ length: mostEqualGrants + 1 }, (_, at) => grant(at, { createdAtMs: 5 }))
    expect(surplusGrants(grant(20, { createdAtMs: 5 }), registryOf(same))).not.toContain('grant20')
  })
})
