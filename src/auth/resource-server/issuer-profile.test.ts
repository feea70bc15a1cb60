import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../kernel/index.ts'
import { issuersConfigSchema } from './config.ts'
import { issuerProfile, type IssuerProfileName } from './issuer-profile.ts'

const tenant = '11111111-2222-3333-4444-555555555555'
const v1 = `https://sts.windows.net/${tenant}/`
const v2 = `https://login.microsoftonline.com/${tenant}/v2.0`
const read = (name: IssuerProfileName, claims: JsonObject, issuer = 'https://issuer.example') =>
  issuerProfile(name).readAccess(claims, issuer)

describe('access tokens', () => {
  it.each<[IssuerProfileName, JsonObject, string, string | null, readonly string[] | null]>([
    ['generic', { client_id: 'c', scope: 'mcp x' }, 'https://issuer.example', 'c', ['mcp', 'x']],
    ['keycloak', { typ: 'Bearer', azp: 'c', scope: 'openid mcp' }, 'https://k.example', 'c', ['openid', 'mcp']],
    ['keycloak', { typ: 'DPoP', azp: 'c', scope: 'mcp' }, 'https://k.example', 'c', ['mcp']],
    ['entra', { ver: '1.0', tid: tenant, appid: 'a', roles: ['mcp'] }, v1, 'a', ['mcp']],
    ['entra', { ver: '2.0', tid: tenant, azp: 'a', scp: 'mcp x', roles: ['r'] }, v2, 'a', ['mcp', 'x', 'r']],
    ['okta', { cid: 'c', scp: ['mcp'] }, 'https://o.example/oauth2/default', 'c', ['mcp']],
    ['auth0', { azp: 'c', scope: 'mcp', permissions: ['admin'] }, 'https://a.example/', 'c', ['mcp', 'admin']],
    ['google', { azp: '1', sub: '1', email: 'a@b.iam.gserviceaccount.com' }, 'https://accounts.google.com', '1', null],
  ])('of %s are read: %j', (name, claims, issuer, clientId, scopes) => {
    expect(read(name, claims, issuer)).toEqual({ ok: true, clientId, scopes })
  })

  it.each<[string, IssuerProfileName, JsonObject, string]>([
    ['an ID token', 'keycloak', { typ: 'ID', azp: 'c' }, 'https://k.example'],
    ['a refresh token', 'keycloak', { typ: 'Refresh', azp: 'c' }, 'https://k.example'],
    ['a logout token', 'keycloak', { azp: 'c' }, 'https://k.example'],
    ['an ID token', 'entra', { ver: '2.0', tid: tenant, roles: ['mcp'] }, v2],
    ['a token of another tenant', 'entra', { ver: '2.0', tid: 'x', azp: 'a', scp: 'mcp' }, v2],
    ['a token of the other version', 'entra', { ver: '1.0', tid: tenant, appid: 'a', scp: 'mcp' }, v2],
    ['a token with no rights', 'entra', { ver: '2.0', tid: tenant, azp: 'a' }, v2],
    ['an ID token', 'okta', { scp: ['mcp'] }, 'https://o.example/oauth2/default'],
    ['an ID token', 'auth0', { azp: 'c', nonce: 'n', scope: 'mcp' }, 'https://a.example/'],
    ['an ID token', 'auth0', { azp: 'c', at_hash: 'n' }, 'https://a.example/'],
    ['a token of a sign-in', 'google', { azp: '1', at_hash: 'n' }, 'https://accounts.google.com'],
  ])('are not %s of %s', (_, name, claims, issuer) => {
    expect(read(name, claims, issuer)).toMatchObject({ ok: false })
  })
})

describe('metadata', () => {
  it.each<[IssuerProfileName, string, readonly string[]]>([
    [
      'generic',
      'https://i.example/a',
      [
        'https://i.example/a/.well-known/openid-configuration',
        'https://i.example/.well-known/oauth-authorization-server/a',
      ],
    ],
    ['auth0', 'https://a.example/', ['https://a.example/.well-known/openid-configuration']],
    ['entra', v1, [`https://login.microsoftonline.com/${tenant}/.well-known/openid-configuration`]],
    ['entra', v2, [`${v2}/.well-known/openid-configuration`]],
  ])('of %s %s is looked for where it is', (name, issuer, urls) => {
    expect(issuerProfile(name).metadataUrls(issuer)).toEqual(urls)
  })
})

describe('issuer identifiers', () => {
  const problems = (profile: string, issuer: string) =>
    issuersConfigSchema.safeParse([{ profile, issuer }]).error?.issues.map(({ message }) => message) ?? []

  it.each([
    ['generic', 'https://i.example'],
    ['keycloak', 'https://k.example/realms/demo'],
    ['entra', v1],
    ['entra', v2],
    ['okta', 'https://o.example/oauth2/default'],
    ['auth0', 'https://a.example/'],
    ['google', 'https://accounts.google.com'],
  ])('can be of %s: %s', (profile, issuer) => {
    expect(problems(profile, issuer)).toEqual([])
  })

  it.each([
    ['generic', 'issuer.example'],
    ['keycloak', 'https://k.example/realms/demo/'],
    ['entra', 'https://login.microsoftonline.com/common/v2.0'],
    ['entra', 'https://login.microsoftonline.com/organizations/v2.0'],
    ['entra', `https://sts.windows.net/${tenant}/v2.0`],
    ['okta', 'https://o.example'],
    ['auth0', 'https://a.example'],
  ])('cannot be of %s: %s', (profile, issuer) => {
    expect(problems(profile, issuer)).toHaveLength(1)
  })
})
