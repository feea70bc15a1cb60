import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Runtime, Sandbox, SandboxEvents, SandboxLimits, SandboxOutcome, SandboxSpec } from '../sandbox.ts'

const mebibyte = 1024 * 1024

/** Bounds that a probe reaches only where it is meant to. */
export const probeLimits: SandboxLimits = {
  wallMs: 120_000,
  cpuMs: 60_000,
  memoryBytes: 512 * mebibyte,
  processes: 16,
  openFiles: 128,
  scratchBytes: 16 * mebibyte,
  resultBytes: mebibyte,
  outputBytes: mebibyte,
  innerCalls: 0,
}

/** A probe with its arguments as the jail gets them, and where its answer belongs. */
export interface ReadyProbe {
  readonly id: string
  readonly operation: string
  readonly arguments: readonly (string | number)[]
}

/** Source in a checkout, compiled in a release; this file's own name tells which. */
const scriptExtension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const pythonFiles = ['main', 'answers', 'files', 'machine', 'network', 'processes', 'siblings'].map(
  (name) => `${name}.py`,
)
const filesOf: Readonly<Record<Runtime, readonly string[]>> = {
  python: pythonFiles,
  typescript: [`main${scriptExtension}`],
}

/** How the line of an answer begins; a probe may write others. */
const answerMark = 'answer '

/** The paths of the probes' own files in the jail's /fn, as a listing shows them. */
export const ownFiles = pythonFiles.toSorted()

/** An execution of probes. `secret` is in its input and nowhere else. */
export function probeSpec(
  runtime: Runtime,
  probes: readonly ReadyProbe[],
  limits: Partial<SandboxLimits> = {},
  secret = '',
): SandboxSpec {
  const order = { probes: probes.map((probe) => [probe.operation, probe.arguments]), secret }
  const read = (name: string): Uint8Array => readFileSync(fileURLToPath(new URL(`./probe/${name}`, import.meta.url)))
  return {
    id: 'containment',
    runtime,
    files: new Map(filesOf[runtime].map((name) => [name, read(name)])),
    entry: { file: filesOf[runtime][0] ?? '', name: 'main' },
    inputJson: JSON.stringify(order),
    limits: { ...probeLimits, ...limits },
  }
}

/**
 * Runs probes one after the other in one jail. One that ends its jail has that end for an answer, and the rest get a new
 * jail. Answers are raw and come from hostile code: they are judged by the caller.
 * An execution that did not come to its first probe answers for all.
 */
export async function askJail(
  sandbox: Pick<Sandbox, 'run'>,
  runtime: Runtime,
  probes: readonly ReadyProbe[],
  limits: Partial<SandboxLimits> = {},
  events: SandboxEvents = {},
): Promise<Map<string, string>> {
  const answers = new Map<string, string>()
  let left = probes
  while (left.length > 0) {
    const outcome = await sandbox.run(probeSpec(runtime, left, limits), events)
    const said = outcome.stdout.split('\n').filter((line) => line.startsWith(answerMark))
    const known = Math.min(said.length, left.length)
    for (const [index, { id }] of left.slice(0, known).entries()) answers.set(id, textOf(said[index] ?? ''))
    const ended = left[known]
    if (ended !== undefined) answers.set(ended.id, endOf(outcome))
    if (outcome.status === 'unavailable' || outcome.status === 'invalid') {
      for (const { id } of left.slice(known)) answers.set(id, endOf(outcome))
      return answers
    }
    left = left.slice(known + 1)
  }
  return answers
}

/** A line of a probe: JSON text of a string, or of null for an operation that gives nothing back. */
function textOf(line: string): string {
  try {
    const value = JSON.parse(line.slice(answerMark.length)) as unknown
    return typeof value === 'string' ? value : value === null ? 'done' : 'malformed answer'
  } catch {
    return 'malformed answer'
  }
}

/** How an execution ended, as an answer. */
function endOf(outcome: SandboxOutcome): string {
  switch (outcome.status) {
    case 'ok':
      return 'done'
    case 'limit':
      return `limit: ${outcome.limit}`
    case 'killed':
      return `ended: ${outcome.reason}`
    case 'exception':
      return outcome.kind === 'ProcessExit'
        ? 'ended: exit'
        : `exception: ${outcome.kind}: ${outcome.message.slice(0, 200)}`
    case 'invalid':
    case 'unavailable':
      return `${outcome.status}: ${outcome.message.slice(0, 300)}`
  }
}
