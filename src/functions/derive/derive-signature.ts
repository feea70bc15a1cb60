import { z } from 'zod'
import { McpworksError, uuidv7, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { Runtime, Sandbox, SandboxLimits, SandboxOutcome } from '../../sandbox/index.ts'
import { desiredStateBounds, type SourceProblem } from '../desired-state.ts'
import type { FunctionSource } from '../function-source.ts'
import { derivationPrograms } from './derivation-program.ts'

/** What a function's code says of itself. */
export interface DerivedSignature {
  readonly description: string | null
  readonly inputSchema: JsonObject | null
  readonly outputSchema: JsonObject | null
  /** `entry`: the function cannot be used at all. `input`, `output`: only that schema could not be derived. */
  readonly problems: readonly { readonly section: 'entry' | 'input' | 'output'; readonly problem: SourceProblem }[]
}

/** Reads a signature. @throws McpworksError `sandbox_unavailable` where nothing could be run. */
export type DeriveSignature = (source: FunctionSource) => Promise<DerivedSignature>

const mebibyte = 1024 * 1024
const limits: Readonly<Record<Runtime, SandboxLimits>> = {
  python: {
    wallMs: 10_000,
    cpuMs: 5000,
    memoryBytes: 256 * mebibyte,
    processes: 8,
    openFiles: 64,
    scratchBytes: 16 * mebibyte,
    resultBytes: 256 * 1024,
    outputBytes: 4096,
    innerCalls: 0,
  },
  typescript: {
    wallMs: 10_000,
    cpuMs: 5000,
    memoryBytes: 512 * mebibyte,
    processes: 32,
    openFiles: 64,
    scratchBytes: 16 * mebibyte,
    resultBytes: 256 * 1024,
    outputBytes: 4096,
    innerCalls: 0,
  },
}

const json = z.record(z.string(), z.json())
const signatureSchema = z.strictObject({
  description: z.string().max(20_000).nullable(),
  inputSchema: json.nullable(),
  outputSchema: json.nullable(),
  problems: z
    .array(
      z.strictObject({
        section: z.enum(['entry', 'input', 'output']),
        file: z.string().max(desiredStateBounds.pathLength),
        line: z.int().min(1),
        column: z.int().min(1),
        message: z.string().max(2000),
        hint: z.string().max(2000).nullable(),
      }),
    )
    .max(200),
})

/**
 * Reads signatures in the sandbox: the code is only parsed, never run, and a parser that can be broken by what it
 * reads breaks inside a jail. The answer is checked like any other input from outside; schemas still have to pass
 * `checkSchema`.
 */
export function createSignatureDeriver(sandbox: Sandbox, clock: Clock): DeriveSignature {
  return async (source) => {
    const program = derivationPrograms[source.runtime]()
    const files = new Map(program.files)
    for (const [path, content] of source.files)
      if (path.endsWith('.py') || path.endsWith('.ts')) files.set(`source/${path}`, content)
    const outcome = await sandbox.run({
      id: uuidv7(clock.nowMs()),
      runtime: source.runtime,
      files,
      entry: program.entry,
      inputJson: JSON.stringify({ file: source.entry.file, entry: source.entry.name }),
      limits: limits[source.runtime],
    })
    return readOutcome(outcome, source)
  }
}

function readOutcome(outcome: SandboxOutcome, source: FunctionSource): DerivedSignature {
  if (outcome.status === 'unavailable') throw new McpworksError('sandbox_unavailable', { detail: outcome.message })
  if (outcome.status !== 'ok')
    return unreadable(
      source,
      outcome.status === 'limit' ? `reading it reached the ${outcome.limit} limit` : 'reading it failed',
    )
  const parsed = signatureSchema.safeParse(parseJson(outcome.resultJson))
  if (!parsed.success) return unreadable(source, 'reading it gave no answer that makes sense')
  const { problems, ...signature } = parsed.data
  return {
    ...(signature as Omit<DerivedSignature, 'problems'>),
    problems: problems.map(({ section, file, ...rest }) => ({
      section,
      problem: { ...rest, file: `${source.folder}/${file}` },
    })),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unreadable(source: FunctionSource, message: string): DerivedSignature {
  const problem = {
    file: `${source.folder}/${source.entry.file}`,
    line: null,
    column: null,
    message: `the file cannot be read: ${message}`,
    hint: null,
  }
  return { description: null, inputSchema: null, outputSchema: null, problems: [{ section: 'entry', problem }] }
}
