import { defineConfig } from 'vitest/config'

/** Kinds of tests, by folder. Limits are for a hang, not for speed: two shared cores run everything. */
const kinds = [
  // One process for many files: no module of ours holds state, so they cannot disturb each other.
  { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 60_000, isolate: false },
  { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000 },
  { name: 'integration', include: ['test/integration/**/*.test.ts'], testTimeout: 60_000 },
  { name: 'attacks', include: ['test/attacks/**/*.test.ts'], testTimeout: 60_000 },
  {
    // The suites of the sandbox once more, on nsjail. Not among those that run by themselves: nsjail is in no package registry.
    name: 'nsjail',
    include: [
      'test/nsjail/**/*.test.ts',
      'test/integration/sandbox.test.ts',
      'test/integration/sandbox-calls.test.ts',
      'test/integration/sandbox-lifecycle.test.ts',
      'test/attacks/sandbox/*.test.ts',
    ],
    testTimeout: 60_000,
    env: { MCPWORKS_TEST_ENGINE: 'nsjail' },
  },
  // The attacks that an engine of its own could let through, once more on the standard runtimes.
  ...Object.entries({ crun: ['files', 'network', 'siblings', 'views'], runc: ['files', 'views'] }).map(
    ([name, files]) => ({
      name,
      include: files.map((file) => `test/attacks/sandbox/${file}.test.ts`),
      testTimeout: 60_000,
      env: { MCPWORKS_TEST_ENGINE: name },
    }),
  ),
  { name: 'conformance', include: ['test/conformance/**/*.test.ts'], testTimeout: 300_000 },
]

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default'],
    passWithNoTests: false,
    projects: kinds.map(({ name, include, testTimeout, isolate = true, env = {} }) => ({
      test: { name, include, testTimeout, hookTimeout: testTimeout, isolate, env, environment: 'node' },
    })),
  },
})
