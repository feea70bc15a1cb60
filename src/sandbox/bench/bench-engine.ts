import { McpworksError } from '../../kernel/index.ts'
import { sandboxConfigSchema, type SandboxConfig } from '../config.ts'
import type { CheckedEngine } from '../containment/check-engine.ts'
import type { Runtime, Sandbox, SandboxSpec } from '../sandbox.ts'
import { startSandbox } from '../start-sandbox.ts'
import { allowedCalls, engineTraits, type EngineTraits } from './engine-traits.ts'

/** What a call of a function that does nothing costs. */
export interface CallFigures {
  /** Median of calls one after the other, in milliseconds: the jail, the runtime, the call, and the end of all. */
  readonly p50_ms: number
  /** With four callers at once. */
  readonly per_second: number
  readonly calls: number
}

/** What came of one engine in one mode. */
export type EngineBench = {
  readonly name: CheckedEngine
  readonly mode: SandboxConfig['mode']
} & EngineTraits &
  (
    | {
        readonly status: 'measured'
        readonly version: string
        readonly figures: Readonly<Record<Runtime, CallFigures>>
        /** Of the filter that hosted code is under, by runtime. */
        readonly systemCalls: Readonly<Record<Runtime, ReturnType<typeof allowedCalls>>>
      }
    | { readonly status: 'not there' | 'failed'; readonly reason: string }
  )

const mebibyte = 1024 * 1024
const callers = 4
const leastCalls = 5
const programs: Readonly<Record<Runtime, { readonly file: string; readonly source: string }>> = {
  python: { file: 'hello.py', source: 'def main(_):\n    return {"n": 1}\n' },
  typescript: { file: 'hello.ts', source: 'export function main(): object {\n  return { n: 1 }\n}\n' },
}
const expectedJson = '{"n":1}'
const limits: SandboxSpec['limits'] = {
  wallMs: 20_000,
  cpuMs: 20_000,
  memoryBytes: 512 * mebibyte,
  processes: 8,
  openFiles: 64,
  scratchBytes: mebibyte,
  resultBytes: 65_536,
  outputBytes: 4096,
  innerCalls: 0,
}

/**
 * Starts a sandbox of its own with one engine and measures calls through it; every answer is checked, because what fails
 * looks fast. Takes the start of the sandbox and, for each runtime, two times `budgetMs` or five calls, whichever is longer.
 * The figures are of this machine at this moment: compare them with one another only.
 */
export async function benchEngine(
  config: SandboxConfig,
  order: { readonly engine: CheckedEngine; readonly mode: SandboxConfig['mode']; readonly budgetMs: number },
): Promise<EngineBench> {
  const { engine: name, mode, budgetMs } = order
  const row = { name, mode, ...engineTraits[name] }
  if (name === 'kata') return { ...row, status: 'not there', reason: 'not run here: it needs hardware virtualisation' }
  const { ceilings } = sandboxConfigSchema.parse({})
  let sandbox
  try {
    sandbox = await startSandbox({ ...config, engine: name, mode, ceilings })
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- the row says that nothing was measured
  } catch (error) {
    if (!(error instanceof McpworksError)) throw error
    const reason = error.message.replace(/^No sandbox, so nothing is run: /, '')
    const isAbsent = reason.startsWith(`${name} cannot be used: `)
    return { ...row, status: isAbsent ? 'not there' : 'failed', reason: reason.replace(`${name} cannot be used: `, '') }
  }
  try {
    const figures = {
      python: await measure(sandbox, 'python', budgetMs),
      typescript: await measure(sandbox, 'typescript', budgetMs),
    }
    const systemCalls = { python: allowedCalls('python'), typescript: allowedCalls('typescript') }
    return { ...row, status: 'measured', version: sandbox.describe().version, figures, systemCalls }
  } catch (error) {
    return { ...row, status: 'failed', reason: error instanceof Error ? error.message : String(error) }
  } finally {
    await sandbox.close()
  }
}

async function measure(sandbox: Sandbox, runtime: Runtime, budgetMs: number): Promise<CallFigures> {
  await callOnce(sandbox, runtime)
  const alone = await callFor(sandbox, runtime, budgetMs, 1)
  const together = await callFor(sandbox, runtime, budgetMs, callers)
  const p50 = alone.timesMs.toSorted((one, other) => one - other)[Math.floor(alone.timesMs.length / 2)] ?? 0
  return {
    p50_ms: Math.round(p50 * 10) / 10,
    per_second: Math.round((together.timesMs.length / together.elapsedMs) * 10_000) / 10,
    calls: alone.timesMs.length + together.timesMs.length,
  }
}

async function callFor(
  sandbox: Sandbox,
  runtime: Runtime,
  budgetMs: number,
  atOnce: number,
): Promise<{ readonly timesMs: readonly number[]; readonly elapsedMs: number }> {
  const timesMs: number[] = []
  const begun = performance.now()
  const caller = async (): Promise<void> => {
    while (timesMs.length < leastCalls || performance.now() - begun < budgetMs)
      timesMs.push(await callOnce(sandbox, runtime))
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return { timesMs, elapsedMs: performance.now() - begun }
}

/** Milliseconds of one call. @throws Error where it ends with anything but the answer */
async function callOnce(sandbox: Sandbox, runtime: Runtime): Promise<number> {
  const { file, source } = programs[runtime]
  const entry = { file, name: 'main' }
  const files = new Map([[file, Buffer.from(source)]])
  const before = performance.now()
  const outcome = await sandbox.run({ id: 'bench', runtime, files, entry, inputJson: '{}', limits })
  const took = performance.now() - before
  if (outcome.status === 'ok' && outcome.resultJson === expectedJson) return took
  throw new Error(
    `a call ended as ${outcome.status}${'message' in outcome ? `: ${outcome.message.slice(0, 300)}` : ''}`,
  )
}
