import type { Program } from './candidate.ts'
import { distributionPackages, helloJson } from './raw-commands.ts'

const allCallers = [1, 4, 16] as const

/** How a candidate is configured. Each is one sandbox with an executor of its own. */
export const configurations: ReadonlyMap<string, object> = new Map([
  ['fresh', { mode: 'fresh', pythonPackagesDirectory: distributionPackages }],
  ['fast', { mode: 'fast', pythonPackagesDirectory: distributionPackages }],
  ['fast, pandas', { mode: 'fast', pythonPackagesDirectory: distributionPackages, pythonPreload: ['pandas'] }],
  ['fresh, node', { mode: 'fresh', typescriptRuntime: 'node' }],
  ['fast, node', { mode: 'fast', typescriptRuntime: 'node' }],
])

/** One line of the table. */
export interface Case {
  readonly case: string
  /**
   * `cold`: `sandbox.mode` is "fresh". `warm`: "fast", and callers who leave the sandbox time, so that a jail waits for every
   * call. `zygote` (Python) and `pool` (TypeScript): "fast", and callers who leave none.
   */
  readonly mode: 'cold' | 'warm' | 'zygote' | 'pool'
  readonly configuration: string
  readonly program: Program
  /** The raw command that it is a ratio to. */
  readonly baseline: string
  readonly callers: readonly number[]
}

const python: Program = {
  runtime: 'python',
  file: 'hello.py',
  source: 'def main(_):\n    return {"n": 1}\n',
  expected: helloJson,
}
const pandas: Program = { ...python, source: `import pandas\n${python.source}` }
/** Answers only on the runtime that it is measured for. */
const typescript = (isBun: boolean): Program => ({
  runtime: 'typescript',
  file: 'hello.ts',
  source: `export function main(): { n: number } {\n  return { n: ('bun' in process.versions) === ${isBun} ? 1 : 0 }\n}\n`,
  expected: helloJson,
})

/** The table, in order. */
export const cases: readonly Case[] = [
  ...threeModes('python', 'zygote', python, 'raw bwrap python', ['fresh', 'fast']),
  ...threeModes('python with pandas', 'zygote', pandas, 'raw bwrap python with pandas', ['fresh', 'fast, pandas']),
  ...threeModes('typescript on bun', 'pool', typescript(true), 'raw bwrap bun', ['fresh', 'fast']),
  ...threeModes('typescript on node', 'pool', typescript(false), 'raw bwrap node', ['fresh, node', 'fast, node']),
]

function threeModes(
  name: string,
  crowded: 'zygote' | 'pool',
  program: Program,
  baseline: string,
  [fresh, fast]: readonly [string, string],
): Case[] {
  const shared = { case: name, program, baseline }
  return [
    { ...shared, mode: 'cold', configuration: fresh, callers: allCallers },
    { ...shared, mode: 'warm', configuration: fast, callers: [1] },
    { ...shared, mode: crowded, configuration: fast, callers: allCallers },
  ]
}
