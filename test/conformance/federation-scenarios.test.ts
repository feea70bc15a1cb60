import { describe, expect, it } from 'vitest'
import { runClientScenario } from './run-client-scenario.ts'

describe('the official client, as it is used against this server', () => {
  it.each([
    ['auth/wif-jwt-bearer', ['wif-assertion-verified', 'valid-bearer-token']],
    [
      'auth/enterprise-managed-authorization',
      ['complete-flow-token-exchange', 'complete-flow-jwt-bearer', 'valid-bearer-token'],
    ],
  ])('passes %s', async (scenario, checks) => {
    const run = await runClientScenario(scenario, 'run-federation-client.ts')
    expect(run).toMatchObject({ failed: 0, warnings: 0, exitCode: 0 })
    expect([...run.succeeded]).toEqual(expect.arrayContaining(checks))
  })

  it('would be seen to fail', async () => {
    const run = await runClientScenario('auth/wif-jwt-bearer', 'run-nothing.ts')
    expect(run.exitCode).not.toBe(0)
    expect(run.failed).toBeGreaterThan(0)
  })
})
