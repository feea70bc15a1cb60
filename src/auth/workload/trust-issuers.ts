import { isJsonObject } from '../../kernel/index.ts'
import { importPublicJwk, readPublicJwk } from '../signatures/public-jwk.ts'
import type { IssuerConfig } from './issuer-config.ts'
import type { IssuerPreset, WorkloadIssuer } from './workload-issuer.ts'

/** The trusted issuers of the configuration, and every mistake in it. */
export interface TrustedIssuers {
  readonly issuers: readonly WorkloadIssuer[]
  readonly problems: readonly { readonly path: (string | number)[]; readonly message: string }[]
}

interface Defaults {
  readonly issuer: string | null
  readonly algorithms: readonly string[]
  readonly singleUse: boolean
  readonly maxLifetimeSeconds: number
}

const presets: Readonly<Record<IssuerPreset, Defaults>> = {
  generic: {
    issuer: null,
    algorithms: ['RS256', 'ES256', 'EdDSA', 'Ed25519'],
    singleUse: true,
    maxLifetimeSeconds: 3600,
  },
  // A pod sends the token of its volume again and again until the kubelet replaces it.
  kubernetes: { issuer: null, algorithms: ['RS256'], singleUse: false, maxLifetimeSeconds: 86_400 },
  'github-actions': {
    issuer: 'https://token.actions.githubusercontent.com',
    algorithms: ['RS256'],
    singleUse: true,
    maxLifetimeSeconds: 3600,
  },
  // Agents cache a JWT-SVID and give it to the workload until it is half spent, and it needs no jti.
  spiffe: {
    issuer: null,
    algorithms: ['RS256', 'ES256', 'EdDSA', 'Ed25519'],
    singleUse: false,
    maxLifetimeSeconds: 3600,
  },
}

/** Fills in what the preset of each issuer says. A mistake is told for where it is; such an issuer is left out. */
export function trustIssuers(configured: readonly IssuerConfig[]): TrustedIssuers {
  const issuers: WorkloadIssuer[] = []
  const problems: { path: (string | number)[]; message: string }[] = []
  for (const [index, config] of configured.entries()) {
    const found = mistakes(config).map(({ key, message }) => ({ path: [index, key], message }))
    const trusted = trustIssuer(config)
    if (issuers.some(({ issuer }) => issuer === trusted.issuer))
      found.push({ path: [index, 'issuer'], message: 'this issuer is listed twice' })
    problems.push(...found)
    if (found.length === 0) issuers.push(trusted)
  }
  return { issuers, problems }
}

function trustIssuer(config: IssuerConfig): WorkloadIssuer {
  const defaults = presets[config.preset]
  const spiffe = config.preset === 'spiffe'
  return {
    issuer: config.issuer ?? (spiffe ? `spiffe://${config.trustDomain ?? ''}` : (defaults.issuer ?? '')),
    preset: config.preset,
    accepts: [
      ...(config.workloads ? (['workload'] as const) : []),
      ...(config.identityAssertions ? (['id-jag'] as const) : []),
    ],
    keys: keysOf(config),
    algorithms: config.algorithms ?? defaults.algorithms,
    singleUse: config.jti === undefined ? defaults.singleUse : config.jti === 'single-use',
    maxLifetimeSeconds: config.maxAssertionSeconds ?? defaults.maxLifetimeSeconds,
    audiences: config.audiences,
    networks: config.networks,
    trustDomain: spiffe ? (config.trustDomain ?? null) : null,
  }
}

function keysOf({ keys, jwksUrl }: IssuerConfig): WorkloadIssuer['keys'] {
  if (keys !== undefined) return { from: 'inline', keys: keys.filter(isJsonObject) }
  return jwksUrl === undefined ? { from: 'discovery' } : { from: 'jwks', url: jwksUrl }
}

function mistakes(config: IssuerConfig): { key: string; message: string }[] {
  const { preset, issuer, trustDomain, keys, jwksUrl } = config
  const found: { key: string; message: string }[] = []
  if (issuer === undefined && (preset === 'generic' || preset === 'kubernetes'))
    found.push({ key: 'issuer', message: `${preset} needs the issuer identifier` })
  if (preset === 'spiffe' && trustDomain === undefined)
    found.push({ key: 'trustDomain', message: 'spiffe needs the trust domain' })
  if (preset !== 'spiffe' && trustDomain !== undefined)
    found.push({ key: 'trustDomain', message: 'only spiffe has a trust domain' })
  if (preset !== 'spiffe' && issuer?.startsWith('spiffe:') === true)
    found.push({ key: 'issuer', message: 'an issuer with spiffe:// needs the preset spiffe' })
  if (preset === 'spiffe' && issuer?.startsWith('http') !== true && keys === undefined && jwksUrl === undefined)
    found.push({ key: 'keys', message: 'a trust domain has no discovery: give its keys or jwksUrl' })
  if (keys !== undefined && jwksUrl !== undefined)
    found.push({ key: 'keys', message: 'give either keys or jwksUrl, not both' })
  for (const key of keys ?? []) {
    if (!isPublicKey(key))
      found.push({ key: 'keys', message: 'each key must be a public JWK (RSA, EC or OKP) for signatures' })
  }
  if (!config.workloads && !config.identityAssertions)
    found.push({ key: 'workloads', message: 'neither workloads nor identityAssertions: nothing of it would be taken' })
  return found
}

/** No symmetric key, no private one, none for another use, and none whose numbers make no key. */
function isPublicKey(key: Readonly<Record<string, unknown>>): boolean {
  if (!isJsonObject(key)) return false
  const { use } = key
  if (use !== undefined && use !== 'sig' && use !== 'jwt-svid') return false
  const parts = readPublicJwk(key)
  return parts !== null && importPublicJwk(parts) !== null
}
