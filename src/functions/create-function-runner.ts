import { uuidv7, type Clock, type JsonObject, type JsonValue } from '../kernel/index.ts'
import type { LimitName, Sandbox, SandboxEvents, SandboxFacts, SandboxOutcome, SandboxSpec } from '../sandbox/index.ts'
import { adaptPython } from './adapter/adapt-python.ts'
import { errorResult, successResult } from './call-tool-result.ts'
import type { FunctionVersion } from './function-version.ts'
import { readableTrace, withoutAdapterFrames } from './readable-trace.ts'

/** How a call of a hosted function ended. `result` is an MCP `CallToolResult`. */
export type FunctionOutcome = { readonly facts: SandboxFacts } & (
  | { readonly status: 'ok'; readonly result: JsonObject }
  /** The function failed in its own terms. */
  | { readonly status: 'tool-error'; readonly result: JsonObject; readonly detail: string }
  | { readonly status: 'timeout' | 'limit' | 'killed'; readonly result: JsonObject; readonly detail: string }
  /** Nothing was run: answer with the error `sandbox_unavailable`. */
  | { readonly status: 'unavailable'; readonly detail: string }
)

/** Runs hosted functions. */
export interface FunctionRunner {
  /**
   * Runs one version once, in a fresh sandbox. Not checked here: the arguments, which the pipeline has checked against
   * the input schema before it decided; whether anybody may call this; and the returned value, which the pipeline checks
   * against the output schema whatever backend it came from. What a function writes to stdout and stderr is in `facts`, for its owner; callers see none of it.
   * `depth`: how many calls wait for this one, one inside the other. `isStrict`: under the profile that a policy forces.
   * Never rejects for what the function does.
   */
  run(
    version: FunctionVersion,
    args: JsonObject,
    events?: SandboxEvents,
    place?: { readonly depth: number; readonly isStrict: boolean },
  ): Promise<FunctionOutcome>
}

/** What running stands on. */
export interface RunnerPorts {
  readonly sandbox: Sandbox
  readonly clock: Clock
}

/** A runner over a sandbox. */
export function createFunctionRunner({ sandbox, clock }: RunnerPorts): FunctionRunner {
  const programs = new WeakMap<FunctionVersion, Program>()
  const programOf = (version: FunctionVersion): Program => {
    const program = programs.get(version) ?? toProgram(version)
    programs.set(version, program)
    return program
  }
  return {
    async run(version, args, events = {}, { depth, isStrict } = { depth: 0, isStrict: false }) {
      const { runtime, limits } = version
      const id = uuidv7(clock.nowMs())
      const outcome = await sandbox.run(
        { id, runtime, limits, depth, isStrict, inputJson: JSON.stringify(args), ...programOf(version) },
        events,
      )
      return describe(version, outcome)
    },
  }
}

type Program = Pick<SandboxSpec, 'files' | 'entry'>

function toProgram({ runtime, files, entry }: FunctionVersion): Program {
  return runtime === 'python' ? adaptPython(files, entry) : { files, entry }
}

function describe(version: FunctionVersion, outcome: SandboxOutcome): FunctionOutcome {
  const { engine, profile, profileHash, usage, stdout, stderr, droppedBytes, evidence, exitCode } = outcome
  const read = {
    ...(evidence === undefined ? {} : { evidence }),
    ...(exitCode === undefined ? {} : { exitCode }),
  }
  const facts = { engine, profile, profileHash, usage, stdout, stderr, droppedBytes, ...read }
  const failed = (
    status: 'tool-error' | 'timeout' | 'limit' | 'killed',
    text: string,
    detail = text,
  ): FunctionOutcome => ({
    facts,
    status,
    result: errorResult(text),
    detail,
  })
  switch (outcome.status) {
    case 'ok':
      return { facts, ...parseResult(version, outcome.resultJson) }
    case 'exception':
      return failed('tool-error', readableTrace(outcome), `${outcome.kind}: ${outcome.message}`.slice(0, 500))
    case 'invalid':
      return failed('tool-error', withoutAdapterFrames(outcome.message))
    case 'limit':
      return failed(
        outcome.limit === 'wall' ? 'timeout' : 'limit',
        limitSentence(outcome.limit, version),
        outcome.message,
      )
    case 'killed':
      return failed('killed', killedSentences[outcome.reason], outcome.message)
    case 'unavailable':
      return { facts, status: 'unavailable', detail: outcome.message }
  }
}

function parseResult(
  version: FunctionVersion,
  resultJson: string,
): { status: 'ok'; result: JsonObject } | { status: 'tool-error'; result: JsonObject; detail: string } {
  let value: JsonValue
  try {
    value = JSON.parse(resultJson) as JsonValue
  } catch {
    const text = 'The function returned what is not JSON.'
    return { status: 'tool-error', result: errorResult(text), detail: text }
  }
  return { status: 'ok', result: successResult(version, value) }
}

function limitSentence(limit: LimitName, { limits }: FunctionVersion): string {
  const sentences: Readonly<Record<LimitName, string>> = {
    wall: `The function was stopped after ${limits.wallMs} ms, its time limit (wallMs).`,
    cpu: `The function was stopped after ${limits.cpuMs} ms of processor time, its limit (cpuMs).`,
    memory: `The function needed more memory than its limit of ${limits.memoryBytes} bytes (memoryBytes).`,
    processes: `The function tried to start a process, or more threads than its limit of ${limits.processes} (processes).`,
    'open-files': `The function opened more files at once than its limit of ${limits.openFiles} (openFiles).`,
    scratch: `The function wrote more to its scratch space than its limit of ${limits.scratchBytes} bytes (scratchBytes).`,
    result: `The function returned more than its limit of ${limits.resultBytes} bytes of JSON (resultBytes). Ask for less.`,
    output: `The function was stopped because it flooded stdout or stderr; its limit is ${limits.outputBytes} bytes (outputBytes).`,
    'inner-calls': `The function was stopped because it made more calls of other tools than its limit of ${limits.innerCalls} (innerCalls).`,
  }
  return sentences[limit]
}

const killedSentences: Readonly<Record<'cancelled' | 'filter' | 'signal' | 'executor-lost', string>> = {
  cancelled: 'The call was cancelled.',
  filter: 'The function was stopped because it tried a system operation that hosted functions may not use.',
  signal: 'The function crashed.',
  'executor-lost': 'The call was lost because the process that runs functions ended. It may be tried again.',
}
