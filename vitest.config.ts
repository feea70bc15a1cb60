import { defineConfig } from 'vitest/config'

/** Kinds of tests, by folder. Limits are for a hang, not for speed: two shared cores run everything. */
const kinds = [
  { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 60_000 },
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
    projects: kinds.map(({ name, include, testTimeout }) => ({
      test: { name, include, testTimeout, hookTimeout: testTimeout, environment: 'node' },
    })),
  },
})
