import type { MutableCatalogue } from '../../src/gateway/index.ts'
import { isJsonObject } from '../../src/kernel/index.ts'
import { agent, startHarness } from '../support/http-harness.ts'
import { startTestApp } from '../support/running-app.ts'
import { startCredentialProxy } from './credential-proxy.ts'
import { fixtureEntries, fixtureNamespace, type FixtureState } from './fixture-entries.ts'

/** The product with the fixture namespace, behind a proxy that adds the credential of the agent who may use it. */
export interface ConformanceServer extends AsyncDisposable {
  /** URL of the proxy, for the official runner. */
  readonly url: string
  /** How many records the runs left, decisions and outcomes. */
  countRecords(): Promise<{ decisions: number; outcomes: number }>
}

const files = {
  'namespace.yaml': `namespace: ${fixtureNamespace}\nagents:\n  - name: runner\n`,
  'policies/runner.cedar':
    `@id("runner")\n@reason("The conformance runner may use every fixture.")\n` +
    `permit (principal == Agent::"${fixtureNamespace}/runner", action, resource);\n`,
}

/** Starts the whole product: its door, its policies, its records. */
export async function startConformanceServer(): Promise<ConformanceServer> {
  const test = await startTestApp()
  // Policies know the tools that are there when they are put in force, the two that come and go among them.
  installFixtures(test.app.catalogue)
  await test.apply(fixtureNamespace, files)
  const credential = await test.key(fixtureNamespace, 'runner')
  const proxy = await startCredentialProxy(`${test.app.url}/mcp/${fixtureNamespace}`, credential)
  return {
    url: proxy.url,
    async countRecords() {
      const { records } = await test.manage(fixtureNamespace, 'audit.tail', {
        namespace: fixtureNamespace,
        limit: 1000,
      })
      const kinds = (Array.isArray(records) ? records : []).map((record) => (isJsonObject(record) ? record.kind : null))
      return {
        decisions: kinds.filter((kind) => kind === 'decision').length,
        outcomes: kinds.filter((kind) => kind === 'outcome').length,
      }
    },
    async [Symbol.asyncDispose]() {
      await proxy.close()
      await test.close()
    },
  }
}

/** Starts the HTTP layer alone with every method served through the SDK, calls of the new era too. */
export async function startSdkServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const harness = await startHarness({
    everythingThroughSdk: true,
    callers: { 'runner-secret': agent('runner', fixtureNamespace) },
  })
  harness.catalogue.addNamespace(fixtureNamespace)
  installFixtures(harness.catalogue)
  const proxy = await startCredentialProxy(`${harness.url}/mcp/${fixtureNamespace}`, 'runner-secret')
  return {
    url: proxy.url,
    async [Symbol.asyncDispose]() {
      await proxy.close()
      await harness.close()
    },
  }
}

function installFixtures(catalogue: MutableCatalogue): void {
  let state: FixtureState = { extraTool: true, extraPrompt: true }
  const put = (): void => catalogue.replaceService(fixtureNamespace, 'fixtures', fixtureEntries(state, toggle))
  const toggle = (kind: 'tool' | 'prompt'): void => {
    state = kind === 'tool' ? { ...state, extraTool: !state.extraTool } : { ...state, extraPrompt: !state.extraPrompt }
    put()
  }
  put()
}
