import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/longest-first.ts'

/** Tests that look at their own process, at what it started or at its environment: each file has a process of its own. */
const alone = [
  'test/integration/{sandbox*,cgroup*,containment*,app-bad-functions}.test.ts',
  'test/attacks/sandbox*.test.ts',
  'test/attacks/sandbox/*.test.ts',
  'test/attacks/auth/egress-ssrf.test.ts',
]

/** Tests of what there is on PostgreSQL alone. The suites of stores that both databases have are run on it besides. */
const onPostgres = ['test/contract/postgres-*.test.ts', 'test/integration/{app-postgres,postgres-*}.test.ts']

/** Kinds of tests, by folder. Limits are for a hang, not for speed: two shared cores run everything. */
const kinds = [
  // One process for many files: no module of ours holds state, so they cannot disturb each other, and to load the
  // product anew costs each file a second of processor time.
  { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 60_000, isolate: false },
  {
    name: 'contract',
    include: ['test/contract/**/*.test.ts'],
    exclude: onPostgres,
    testTimeout: 60_000,
    isolate: false,
    env: { MCPWORKS_TEST_STORAGE: 'SQLite' },
  },
  {
    name: 'postgres',
    include: [...onPostgres, 'test/contract/*.test.ts'],
    testTimeout: 120_000,
    isolate: false,
    env: { MCPWORKS_TEST_STORAGE: 'PostgreSQL' },
  },
  {
    name: 'integration',
    include: ['test/integration/**/*.test.ts'],
    exclude: [...alone, ...onPostgres],
    testTimeout: 120_000,
    isolate: false,
  },
  { name: 'attacks', include: ['test/attacks/**/*.test.ts'], exclude: alone, testTimeout: 120_000, isolate: false },
  { name: 'alone', include: alone, testTimeout: 120_000 },
  {
    // The suites of the sandbox once more, on nsjail. Not among those that run by themselves: nsjail is in no package registry.
    name: 'nsjail',
    include: [
      'test/nsjail/**/*.test.ts',
      'test/integration/sandbox.test.ts',
      'test/integration/sandbox-failures.test.ts',
      'test/integration/sandbox-calls.test.ts',
      'test/integration/sandbox-lifecycle.test.ts',
      'test/attacks/sandbox/*.test.ts',
    ],
    testTimeout: 60_000,
    env: { MCPWORKS_TEST_ENGINE: 'nsjail' },
  },
  // The standard runtimes, and on them once more the attacks that an engine of its own could let through.
  { name: 'engines', include: ['test/engines/**/*.test.ts'], testTimeout: 120_000 },
  ...Object.entries({ crun: ['files', 'network', 'siblings', 'views'], runc: ['files', 'views'] }).map(
    ([name, files]) => ({
      name,
      include: files.map((file) => `test/attacks/sandbox/${file}.test.ts`),
      testTimeout: 60_000,
      env: { MCPWORKS_TEST_ENGINE: name },
    }),
  ),
  // Every command that the pages show, as a process of its own.
  { name: 'documentation', include: ['test/documentation/**/*.test.ts'], testTimeout: 120_000 },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 120_000 },
  // Faults by the thousand. A few of each kind are among the tests that run every time.
  { name: 'faults', include: ['test/faults/**/*.test.ts'], testTimeout: 900_000, maxConcurrency: 2 },
  { name: 'interop', include: ['test/interop/**/*.test.ts'], testTimeout: 120_000 },
  { name: 'conformance', include: ['test/conformance/**/*.test.ts'], testTimeout: 300_000 },
]

/** Where Node keeps what it has compiled: tests start some hundred processes with the same modules. */
const compiled = fileURLToPath(new URL('node_modules/.cache/mcpworks-tests', import.meta.url))

export default defineConfig({
  test: {
    pool: 'forks',
    // One more than the cores that the limits are for: many tests wait for what happens in other processes.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default'],
    passWithNoTests: false,
    projects: kinds.map(
      ({ name, include, exclude = [], testTimeout, isolate = true, env = {}, maxConcurrency = 5 }) => ({
        test: {
          name,
          include,
          // Given even where it is empty, it would take the place of what the command line excludes.
          ...(exclude.length === 0 ? {} : { exclude: ['**/node_modules/**', ...exclude] }),
          testTimeout,
          hookTimeout: testTimeout,
          expect: { poll: { timeout: testTimeout } },
          isolate,
          maxConcurrency,
          env: { ...env, NODE_COMPILE_CACHE: compiled },
          environment: 'node',
          // Costs nothing until a test asks for a database.
          ...(name === 'unit' ? {} : { globalSetup: ['test/support/offer-postgres.ts'] }),
        },
      }),
    ),
  },
})
