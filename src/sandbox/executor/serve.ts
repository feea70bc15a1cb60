import type { Duplex } from 'node:stream'
import { encodeFrame, FrameReader, type Frame } from '../protocol/frame.ts'
import {
  toExecutorBounds,
  toExecutorSchema,
  type FromExecutor,
  type ToExecutor,
} from '../protocol/executor-messages.ts'
import type { InnerAnswer, SandboxDescription, SandboxFacts, SandboxOutcome, SandboxSpec } from '../sandbox.ts'
import { createFreshFault } from './fresh-fault.ts'
import { PendingAnswers } from './pending-answers.ts'
import { prepare, type Workshop } from './prepare.ts'
import { runSpec } from './run-spec.ts'
import { selfTest } from './self-test.ts'
import { SlotsByDepth } from './slots-by-depth.ts'

type RunRequest = Extract<ToExecutor, { type: 'run' }>
type Send = (message: FromExecutor, body?: Uint8Array) => void

/** An execution that the server waits for. */
interface Running {
  readonly abort: AbortController
  readonly answers: PendingAnswers
  readonly done: Promise<void>
}

/**
 * Serves one server over one connection until that ends, then kills what runs. The first message must be `hello`; a
 * failed self-test answers `refused`. Settles when every jail is gone.
 */
export async function serve(connection: Duplex): Promise<void> {
  const running = new Map<number, Running>()
  const send: Send = (message, body) => {
    if (connection.writable) connection.write(encodeFrame(message, ...(body === undefined ? [] : [body])))
  }
  const reader = new FrameReader(toExecutorBounds)
  let workshop: Workshop | null = null
  let freshFault = async (): Promise<string | null> => 'nothing is ready'
  let slots = new SlotsByDepth(0, 0)
  try {
    for await (const chunk of connection as AsyncIterable<Buffer>) {
      for (const frame of reader.push(chunk)) {
        const message = toExecutorSchema.parse(frame.header)
        if (message.type === 'hello') {
          slots = new SlotsByDepth(message.settings.concurrency, message.settings.queueLength)
          workshop = await open(message, send)
          if (workshop === null) return
          freshFault = createFreshFault(workshop)
        } else if (message.type === 'cancel') running.get(message.run)?.abort.abort()
        else if (message.type === 'answer' || message.type === 'refusal')
          running.get(message.run)?.answers.settle(message.id, answerOf(message, frame))
        else if (workshop !== null) {
          const abort = new AbortController()
          const { run } = message
          const answers = new PendingAnswers((id, tool, argumentsJson) =>
            send({ type: 'call', run, id, tool }, Buffer.from(argumentsJson)),
          )
          const done = runOne(workshop, slots, message, frame, {
            signal: abort.signal,
            answers,
            send,
            freshFault,
          }).finally(() => running.delete(run))
          running.set(run, { abort, answers, done })
        }
      }
    }
  } finally {
    for (const { abort } of running.values()) abort.abort()
    await Promise.all([...running.values()].map(async ({ done }) => await done))
    await workshop?.jails.close()
    if (workshop !== null && workshop.fresh.engine !== workshop.engine) await workshop.fresh.jails.close()
    await workshop?.groups.pool?.close()
  }
}

async function open(
  hello: Extract<ToExecutor, { type: 'hello' }>,
  send: (message: FromExecutor) => void,
): Promise<Workshop | null> {
  let workshop: Workshop
  try {
    workshop = await prepare(hello.settings)
  } catch (error) {
    send({ type: 'refused', message: error instanceof Error ? error.message : String(error), checks: [] })
    return null
  }
  const checks = await selfTest(workshop)
  const failed = checks.filter((check) => !check.ok)
  if (failed.length > 0) {
    await workshop.jails.close()
    await workshop.groups.pool?.close()
    const what = failed.map((check) => `${check.id}: expected ${check.expected}, got ${check.got}`).join('; ')
    send({ type: 'refused', message: `the sandbox failed its self-test: ${what}`, checks })
    return null
  }
  send({
    type: 'ready',
    engine: workshop.engine.name,
    version: workshop.version,
    profiles: profilesOf(workshop),
    freshProfiles: profilesOf(workshop.fresh),
    cgroups: workshop.groups.description,
    checks,
  })
  return workshop
}

/** What an execution has beside its workshop and its place. */
interface RunParts {
  readonly signal: AbortSignal
  readonly answers: PendingAnswers
  readonly send: Send
  readonly freshFault: () => Promise<string | null>
}

async function runOne(
  workshop: Workshop,
  places: SlotsByDepth,
  request: RunRequest,
  frame: Frame,
  { signal, answers, send, freshFault }: RunParts,
): Promise<void> {
  const { run } = request
  const slots = places.at(request.depth)
  const place = await slots.take(signal)
  let outcome: SandboxOutcome
  if (place === 'taken') {
    try {
      const fault = request.fresh ? await freshFault() : null
      if (fault !== null) outcome = notRun(workshop, request, { fault })
      else
        outcome = await runSpec(workshop, specOf(request, frame.body), {
          signal,
          onLog: (level, text) => send({ type: 'log', run, level, text }),
          onProgress: (progress, total, message) => send({ type: 'progress', run, progress, total, message }),
          ...(request.calls ? { onCall: async (call) => await answers.answerTo(call) } : {}),
        })
    } finally {
      slots.give()
    }
  } else outcome = notRun(workshop, request, place)
  const { stdout, stderr, ...rest } = outcome
  const texts = [outcome.status === 'ok' ? outcome.resultJson : '', stdout, stderr].map((text) => Buffer.from(text))
  const slim = rest.status === 'ok' ? withoutResult(rest) : rest
  const [result, out, err] = texts.map((text) => text.length)
  send({ type: 'outcome', run, outcome: slim, sizes: [result ?? 0, out ?? 0, err ?? 0] }, Buffer.concat(texts))
}

function answerOf(message: Extract<ToExecutor, { type: 'answer' | 'refusal' }>, frame: Frame): InnerAnswer {
  if (message.type === 'refusal') return { ok: false, code: message.code, message: message.message }
  const { buffer, byteOffset, byteLength } = frame.body
  return { ok: true, resultJson: Buffer.from(buffer, byteOffset, byteLength).toString('utf8') }
}

function withoutResult<Outcome extends { readonly resultJson: string }>({
  resultJson: _,
  ...rest
}: Outcome): Omit<Outcome, 'resultJson'> {
  return rest
}

function specOf(request: RunRequest, body: Uint8Array): SandboxSpec {
  const files = new Map<string, Uint8Array>()
  let offset = 0
  for (const [path, size] of request.files) {
    files.set(path, body.subarray(offset, offset + size))
    offset += size
  }
  const { id, runtime, entry, limits, fresh: isStrict } = request
  return { id, runtime, entry, limits, isStrict, files, inputJson: Buffer.from(body.subarray(offset)).toString('utf8') }
}

function profilesOf({ engine }: Pick<Workshop, 'engine'>): NonNullable<SandboxDescription['profiles']> {
  return { python: engine.profile('python'), typescript: engine.profile('typescript') }
}

function notRun(
  workshop: Workshop,
  request: RunRequest,
  why: 'full' | 'cancelled' | { readonly fault: string },
): SandboxOutcome {
  const { engine } = request.fresh ? workshop.fresh : workshop
  const { name, hash } = engine.profile(request.runtime)
  const facts: SandboxFacts = {
    engine: engine.name,
    profile: name,
    profileHash: hash,
    usage: { wallMs: 0, cpuMs: 0, maxRssBytes: 0 },
    stdout: '',
    stderr: '',
    droppedBytes: 0,
  }
  if (typeof why === 'object')
    return { status: 'unavailable', message: `A jail made anew failed its self-test: ${why.fault}`, ...facts }
  return why === 'full'
    ? { status: 'unavailable', message: 'Too many executions are waiting. Try again later.', ...facts }
    : { status: 'killed', reason: 'cancelled', message: 'The call was cancelled before it started.', ...facts }
}
