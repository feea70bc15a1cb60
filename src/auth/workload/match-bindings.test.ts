import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../kernel/index.ts'
import type { ActiveCredential } from '../identity-registry.ts'
import { readBindingDetails } from './binding-details.ts'
import { chooseBinding } from './match-bindings.ts'
import { matchesPattern } from './match-pattern.ts'

const issuer = 'https://issuer.example'

function binding(id: string, principalId: string, match: JsonObject, of = issuer): ActiveCredential {
  const [namespace = '', name = ''] = principalId.split('/')
  return {
    credential: {
      id,
      kind: 'binding',
      principalId,
      label: '',
      scopes: ['mcp'],
      details: { issuer: of, match },
      createdAtMs: 0,
      expiresAtMs: null,
      revokedAtMs: null,
    },
    principal: {
      type: 'agent',
      id: principalId,
      name,
      namespace,
      groups: [],
      ownerId: null,
      disabledAtMs: null,
      senderConstrainedOnly: false,
      createdAtMs: 0,
      revokedAtMs: null,
    },
    scopes: ['mcp'],
  }
}

const deployer = binding('b1', 'demo/deployer', { repository: 'acme/site', ref: 'refs/heads/main' })

describe('a pattern', () => {
  it.each([
    ['acme/site', 'acme/site'],
    ['acme/site-one', 'acme/site-*'],
    ['refs/heads/release-1', 'refs/heads/release-*'],
    ['one-staging', '*-staging'],
    ['a.b.c', 'a.*.c'],
  ])('takes %j for %j', (value, pattern) => {
    expect(matchesPattern(value, pattern)).toBe(true)
  })

  it.each([
    ['acme/site2', 'acme/site'],
    ['Acme/site', 'acme/site'],
    ['acme/site-', 'acme/site-*'],
    ['acme/site-a/../b', 'acme/site-*'],
    ['acme/site-one:evil', 'acme/site-*'],
    ['acme-evil/site', 'acme*'],
    ['refs/heads/release-1/x', 'refs/heads/release-*'],
    ['mallory@evil.example@acme.example', '*@acme.example'],
    ['aXa\n', 'a*'],
    ['ab', 'ab*b'],
    ['acme/site', '**'],
    ['acme/site', 'a*m*e'],
    ['.', '\\.'],
    ['', ''.padEnd(1, '*')],
  ])('does not take %j for %j', (value, pattern) => {
    expect(matchesPattern(value, pattern)).toBe(false)
  })
})

describe('verified claims', () => {
  it('are those of the one agent whose binding they match in every claim', () => {
    const claims = { repository: 'acme/site', ref: 'refs/heads/main', actor: 'somebody' }
    expect(chooseBinding(issuer, claims, [deployer])).toEqual({ ok: true, binding: deployer })
  })

  it("are nobody's where no binding matches, and the record says which claim of the nearest did not", () => {
    const far = binding('b0', 'demo/far', { repository: 'acme/other', ref: 'refs/tags/v1' })
    const choice = chooseBinding(issuer, { repository: 'acme/site', ref: 'refs/heads/secret-name' }, [far, deployer])
    expect(choice).toEqual({ ok: false, reason: 'no binding matches; nearest b1 of demo/deployer: ref different' })
    expect(chooseBinding(issuer, { repository: 'acme/site' }, [deployer])).toMatchObject({
      reason: 'no binding matches; nearest b1 of demo/deployer: ref absent',
    })
    expect(chooseBinding(issuer, {}, [])).toEqual({ ok: false, reason: 'no binding names this issuer' })
  })

  it('of one issuer never match a binding to another, whatever they say', () => {
    const claims = { repository: 'acme/site', ref: 'refs/heads/main', iss: issuer }
    for (const other of ['https://issuer.example/', 'https://issuer.example.evil', 'HTTPS://issuer.example', '*'])
      expect(chooseBinding(other, claims, [deployer])).toMatchObject({ ok: false })
    const anywhere = binding('b2', 'demo/any', { repository: 'acme/site' }, '*')
    expect(chooseBinding(issuer, claims, [anywhere])).toMatchObject({ ok: false })
  })

  it("that match bindings of two agents are nobody's", () => {
    const twin = binding('b2', 'demo/twin', { repository: 'acme/*' })
    const claims = { repository: 'acme/site', ref: 'refs/heads/main' }
    expect(chooseBinding(issuer, claims, [deployer, twin])).toEqual({
      ok: false,
      reason: 'bindings of 2 principals match: b1 of demo/deployer, b2 of demo/twin',
    })
  })

  it('that match several bindings of one agent come by the one that asks for most', () => {
    const wide = binding('a0', 'demo/deployer', { repository: 'acme/site' })
    const claims = { repository: 'acme/site', ref: 'refs/heads/main' }
    expect(chooseBinding(issuer, claims, [wide, deployer])).toEqual({ ok: true, binding: deployer })
    expect(chooseBinding(issuer, { repository: 'acme/site' }, [wide, deployer])).toEqual({ ok: true, binding: wide })
  })

  it('match by a member of a list and by a number or truth value, and by nothing deeper', () => {
    const match = (claims: JsonObject, pattern: JsonObject) =>
      chooseBinding(issuer, claims, [binding('b', 'demo/a', pattern)]).ok
    expect(match({ groups: ['one', 'two'] }, { groups: 'two' })).toBe(true)
    expect(match({ groups: ['one', ['two']] }, { groups: 'two' })).toBe(false)
    expect(match({ run: 7, main: true }, { run: '7', main: 'true' })).toBe(true)
    expect(match({ run: null }, { run: 'null' })).toBe(false)
    expect(match({ deep: { a: 'b' } }, { deep: '[object Object]' })).toBe(false)
  })

  it('do not have what every object has', () => {
    for (const claim of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const match = JSON.parse(`{"${claim}": "*x*"}`) as JsonObject
      expect(chooseBinding(issuer, {}, [binding('b', 'demo/a', match)])).toMatchObject({ ok: false })
    }
    const own = JSON.parse('{"__proto__": "yes"}') as JsonObject
    expect(chooseBinding(issuer, {}, [binding('b', 'demo/a', own)])).toMatchObject({
      reason: 'no binding matches; nearest b of demo/a: __proto__ absent',
    })
    expect(chooseBinding(issuer, own, [binding('b', 'demo/a', own)])).toMatchObject({ ok: true })
  })

  it.each([
    {},
    { issuer },
    { issuer, match: {} },
    { issuer, match: { sub: 7 } },
    { issuer, match: { sub: '' } },
    { match: { sub: 'a' } },
  ])('match no binding that holds %j', (details) => {
    expect(readBindingDetails(details)).toBeNull()
  })
})
