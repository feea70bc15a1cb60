/** One checker: its name and what Node is run with. None of them writes. */
export interface Step {
  readonly name: string
  readonly args: readonly string[]
}

/**
 * Every checker of `npm run check`, the slowest first, so that two cores finish together. Left to `npm test` are property
 * tests, which run for long, and the tests of these checkers, which run each of them once more.
 */
export const steps: readonly Step[] = [
  {
    name: 'unit tests',
    args: [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project=unit',
      '--exclude=**/*.property.test.ts',
      '--exclude=scripts/check/**',
      '--reporter=dot',
      // The other processors have other checkers to run, and each process loads the product anew.
      '--maxWorkers=2',
    ],
  },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '--no-error-on-unmatched-pattern'] },
  { name: 'unused', args: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'] },
  { name: 'boundaries', args: ['scripts/check-boundaries.ts'] },
  {
    name: 'types',
    args: [
      'node_modules/typescript/bin/tsc',
      '--noEmit',
      '-p',
      '.',
      // What was found before, with the digest of every file that it was found in: only what may differ is looked at anew.
      '--incremental',
      '--tsBuildInfoFile',
      'node_modules/.cache/mcpworks-types/tsbuildinfo',
    ],
  },
  { name: 'generated docs', args: ['scripts/generate-docs.ts', '--check'] },
  { name: 'lock file', args: ['scripts/check-lock.ts'] },
  { name: 'format', args: ['node_modules/oxfmt/bin/oxfmt', '--check'] },
]
