import { describe, expect, it } from 'vitest'
import { checkBinding } from './check-binding.ts'
import { issuerConfigSchema } from './issuer-config.ts'
import { trustIssuers } from './trust-issuers.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }

function trust(config: object): WorkloadIssuer {
  const { issuers, problems } = trustIssuers([issuerConfigSchema.parse(config)])
  if (issuers[0] === undefined) throw new Error(JSON.stringify(problems))
  return issuers[0]
}

const generic = trust({ issuer: 'https://issuer.example' })
const github = trust({ preset: 'github-actions' })
const kubernetes = trust({ preset: 'kubernetes', issuer: 'https://kubernetes.default.svc', keys: [key] })
const spiffe = trust({ preset: 'spiffe', trustDomain: 'example.org', keys: [{ ...key, use: 'jwt-svid' }] })

const problems = (issuer: WorkloadIssuer, match: Record<string, string>) => checkBinding(issuer, match).problems
const warnings = (issuer: WorkloadIssuer, match: Record<string, string>) => checkBinding(issuer, match).warnings

describe('a binding', () => {
  it('names at least one claim exactly', () => {
    expect(problems(generic, { sub: 'job-7' })).toEqual([])
    expect(problems(generic, { sub: 'job-*', project: 'site' })).toEqual([])
    for (const match of [{}, { sub: 'job-*' }, { sub: '*' }, { sub: 'a*b*c' }, { sub: '' }, { sub: 'a\nb' }])
      expect(problems(generic, match)).toHaveLength(1)
  })

  it('says that it is wide where it names no exact subject', () => {
    expect(warnings(generic, { sub: 'job-7' })).toEqual([])
    expect(warnings(generic, { project: 'site' })).toHaveLength(1)
  })

  it.each(['iss', 'aud', 'exp', 'jti', '__proto__', 'a b', ''])('does not name the claim %j', (claim) => {
    expect(
      problems(
        generic,
        Object.fromEntries([
          ['sub', 'x'],
          [claim, 'y'],
        ]),
      ),
    ).toHaveLength(1)
  })

  it('to GitHub Actions names the repository with its owner', () => {
    expect(checkBinding(github, { repository: 'acme/site', ref: 'refs/heads/main' })).toEqual({
      problems: [],
      warnings: [],
    })
    for (const repository of ['acme', '*/site', 'acme*/site', 'acme/site/x', 'a*', '/site'])
      expect(problems(github, { repository, ref: 'refs/heads/main' })).toHaveLength(1)
    expect(problems(github, { ref: 'refs/heads/main' })).toHaveLength(1)
  })

  it('to GitHub Actions is advised to name the branch or the environment', () => {
    expect(warnings(github, { repository: 'acme/site' })).toHaveLength(1)
    expect(warnings(github, { repository: 'acme/site', environment: 'production' })).toEqual([])
    expect(warnings(github, { repository: 'acme/site-*', environment: 'production' })).toHaveLength(1)
  })

  it('to Kubernetes names the service account in full', () => {
    expect(problems(kubernetes, { sub: 'system:serviceaccount:ci:deployer' })).toEqual([])
    for (const sub of [
      'deployer',
      'system:serviceaccount:ci:*',
      'system:serviceaccount:*:deployer',
      'system:serviceaccount:ci',
      'system:node:a',
    ])
      expect(problems(kubernetes, { sub, other: 'x' })).toHaveLength(1)
  })

  it('to SPIFFE names a workload of the trust domain in full', () => {
    expect(problems(spiffe, { sub: 'spiffe://example.org/ns/ci/sa/deployer' })).toEqual([])
    for (const sub of [
      'spiffe://example.org',
      'spiffe://example.org/',
      'spiffe://example.org/ns/*',
      'spiffe://other.org/ns/ci',
      'spiffe://example.org.evil/ns',
      'spiffe://example.org/../x',
      'https://example.org/ns',
    ])
      expect(problems(spiffe, { sub, other: 'x' })).toHaveLength(1)
  })
})

describe('a trusted issuer', () => {
  it('has the defaults of its preset', () => {
    expect(github).toMatchObject({
      issuer: 'https://token.actions.githubusercontent.com',
      singleUse: true,
      keys: { from: 'discovery' },
    })
    expect(kubernetes).toMatchObject({ singleUse: false, algorithms: ['RS256'], maxLifetimeSeconds: 86_400 })
    expect(spiffe).toMatchObject({
      issuer: 'spiffe://example.org',
      trustDomain: 'example.org',
      keys: { keys: [{ use: 'jwt-svid' }] },
    })
  })

  it.each([
    ['no issuer', {}],
    ['no trust domain', { preset: 'spiffe', keys: [key] }],
    ['a trust domain that it cannot have', { issuer: 'https://a.example', trustDomain: 'example.org' }],
    ['a trust domain without keys', { preset: 'spiffe', trustDomain: 'example.org' }],
    ['keys twice', { issuer: 'https://a.example', keys: [key], jwksUrl: 'https://a.example/jwks' }],
    ['a secret for a key', { issuer: 'https://a.example', keys: [{ kty: 'oct', k: 'AAAA' }] }],
    ['a private key', { issuer: 'https://a.example', keys: [{ ...key, d: 'AAAA' }] }],
    ['a key that is none', { issuer: 'https://a.example', keys: [{ ...key, x: 'AAAA' }] }],
    ['an encryption key', { issuer: 'https://a.example', keys: [{ ...key, use: 'enc' }] }],
    ['nothing to take from it', { issuer: 'https://a.example', workloads: false }],
    ['an issuer of SPIFFE without its preset', { issuer: 'spiffe://example.org', keys: [key] }],
  ])('cannot have %s', (_, config) => {
    const { issuers, problems } = trustIssuers([issuerConfigSchema.parse(config)])
    expect(issuers).toEqual([])
    expect(problems.length).toBeGreaterThan(0)
  })

  it('is listed once', () => {
    const entry = issuerConfigSchema.parse({ preset: 'github-actions' })
    expect(trustIssuers([entry, entry]).problems).toEqual([
      { path: [1, 'issuer'], message: 'this issuer is listed twice' },
    ])
  })

  it.each(['HS256', 'none', 'RS1'])('never signs with %s', (algorithm) => {
    expect(issuerConfigSchema.safeParse({ preset: 'github-actions', algorithms: [algorithm] }).success).toBe(false)
  })
})
