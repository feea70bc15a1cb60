import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConformanceServer, startSdkServer, type ConformanceServer } from './conformance-server.ts'
import { runOfficial } from './run-official.ts'

/** Scenarios that each revision scores (`requirements/*.yaml` of the official suite). */
const scored = { '2026-07-28': 37, '2025-11-25': 30 } as const

let server: ConformanceServer
let throughSdk: Awaited<ReturnType<typeof startSdkServer>>
beforeAll(async () => {
  server = await startConformanceServer()
  throughSdk = await startSdkServer()
})
afterAll(async () => {
  await throughSdk[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describe.each(Object.entries(scored))('the official suite of %s', (revision, count) => {
  it('passes every scored scenario through the whole product with a credential', async () => {
    const run = await runOfficial(server.url, revision)
    const results = run.scenarios.filter(({ scenario }) => !run.notScored.has(scenario))
    expect(results.filter(({ failed }) => failed > 0)).toEqual([])
    expect(results.filter(({ passed }) => passed > 0)).toHaveLength(count)
    expect(run.exitCode).toBe(0)
  })

  it('passes the same when every call goes through the SDK', async () => {
    const run = await runOfficial(throughSdk.url, revision)
    const results = run.scenarios.filter(({ scenario }) => !run.notScored.has(scenario))
    expect(results.filter(({ failed }) => failed > 0)).toEqual([])
    expect(results.filter(({ passed }) => passed > 0)).toHaveLength(count)
  })
})

it('left a decision and an outcome for its calls', async () => {
  const { decisions, outcomes } = await server.countRecords()
  expect(decisions).toBeGreaterThan(60)
  expect(outcomes).toBeGreaterThan(60)
})
