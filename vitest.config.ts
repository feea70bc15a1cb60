import { defineConfig } from 'vitest/config'

/** Kinds of tests, by folder. Limits are for a hang, not for speed: two shared cores run everything. */
const kinds = [
  // One process for many files: no module of ours holds state, so they cannot disturb each other.
  { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 60_000, isolate: false },
  { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000 },
  { name: 'integration', include: ['test/integration/**/*.test.ts'], testTimeout: 60_000 },
  { name: 'attacks', include: ['test/attacks/**/*.test.ts'], testTimeout: 60_000 },
  { name: 'conformance', include: ['test/conformance/**/*.test.ts'], testTimeout: 300_000 },
]

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default'],
    passWithNoTests: false,
    projects: kinds.map(({ name, include, testTimeout, isolate = true }) => ({
      test: { name, include, testTimeout, hookTimeout: testTimeout, isolate, environment: 'node' },
    })),
  },
})
