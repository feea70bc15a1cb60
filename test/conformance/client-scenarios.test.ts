import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { verifies } from './requirements.ts'
import { conformanceRunner, runClientScenario } from './run-client-scenario.ts'

// The official client, as it is used against this server, before the servers of the official runner. What a client
// must do is what the cited requirement lets the server rely on.

/** Extensions of authorization, with the checks that must be among those that succeeded. No check of any may fail. */
const scenarios = {
  'auth/client-credentials-basic': ['client-credentials-basic-auth', 'valid-bearer-token'],
  'auth/client-credentials-jwt': ['client-credentials-jwt-verified', 'valid-bearer-token'],
  'auth/dpop': [
    'sep-1932-client-token-request-proof',
    'sep-1932-client-dpop-auth-scheme',
    'sep-1932-client-fresh-proof',
  ],
  'auth/dpop-nonce': [
    'sep-1932-client-token-request-proof',
    'sep-1932-client-dpop-auth-scheme',
    'sep-1932-client-fresh-proof',
    'sep-1932-client-as-nonce',
    'sep-1932-client-rs-nonce',
  ],
  'auth/wif-jwt-bearer': ['wif-assertion-verified', 'valid-bearer-token'],
  'auth/enterprise-managed-authorization': [
    'complete-flow-token-exchange',
    'complete-flow-jwt-bearer',
    'valid-bearer-token',
  ],
} as const satisfies Record<string, readonly string[]>

async function verdict(scenario: keyof typeof scenarios, clientFile: string): Promise<unknown> {
  const { failed, warnings, exitCode, succeeded } = await runClientScenario(scenario, clientFile)
  return { failed, warnings, exitCode, missing: scenarios[scenario].filter((check) => !succeeded.has(check)) }
}

const good = { failed: 0, warnings: 0, exitCode: 0, missing: [] }

describe('the official client passes', () => {
  it(verifies('as-client-credentials', 'client credentials with a secret'), async () => {
    expect(await verdict('auth/client-credentials-basic', 'run-official-client.ts')).toEqual(good)
  })

  it(verifies('as-client-credentials', 'client credentials with an assertion of its key'), async () => {
    expect(await verdict('auth/client-credentials-jwt', 'run-official-client.ts')).toEqual(good)
  })

  it(verifies('dpop-bound', 'DPoP'), async () => {
    expect(await verdict('auth/dpop', 'run-official-client.ts')).toEqual(good)
  })

  it(verifies('as-dpop-nonce', 'DPoP with nonces of both servers'), async () => {
    expect(await verdict('auth/dpop-nonce', 'run-official-client.ts')).toEqual(good)
  })

  it(verifies('wif-no-registration', 'workload identity'), async () => {
    expect(await verdict('auth/wif-jwt-bearer', 'run-federation-client.ts')).toEqual(good)
  })

  it(verifies('jag-client', 'enterprise-managed authorization'), async () => {
    expect(await verdict('auth/enterprise-managed-authorization', 'run-federation-client.ts')).toEqual(good)
  })
})

it('runs every extension of authorization that the official runner has', () => {
  const list = execFileSync(process.execPath, [conformanceRunner, 'list'], { encoding: 'utf8' })
  const [, clients = ''] = list.split('Client scenarios')
  const extensions = [...clients.matchAll(/^ *- (auth\/\S+) \[extension\]/gm)].map(([, name]) => name)
  expect(extensions.toSorted()).toEqual(Object.keys(scenarios).toSorted())
})

describe('a client that does not do its part', () => {
  it.each(['auth/wif-jwt-bearer', 'auth/client-credentials-jwt'])('would be seen to fail %s', async (scenario) => {
    const run = await runClientScenario(scenario, 'run-nothing.ts')
    expect(run.exitCode).not.toBe(0)
    expect(run.failed).toBeGreaterThan(0)
  })

  it('would be seen to have no key for DPoP, whatever else it does well', async () => {
    const run = await runClientScenario('auth/dpop', 'run-official-client.ts', ['without-key'])
    expect(run.exitCode).not.toBe(0)
    expect(run.succeeded).toContain('pkce-verifier-matches-challenge')
    expect(scenarios['auth/dpop'].filter((check) => run.succeeded.has(check))).toEqual([])
  })
})
