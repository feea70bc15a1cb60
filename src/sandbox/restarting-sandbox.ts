import { digestJson, McpworksError, type Digest } from '../kernel/index.ts'
import { answerInnerCall } from './answer-inner-call.ts'
import { startExecutor, type ExecutorConnection } from './executor-connection.ts'
import type { ExecutorChange, ExecutorEnd } from './executor-change.ts'
import { lowered } from './lowered.ts'
import { toExecutorBounds, type ExecutorSettings, type FromExecutor } from './protocol/executor-messages.ts'
import type {
  Sandbox,
  SandboxDescription,
  SandboxEvents,
  SandboxFacts,
  SandboxLimits,
  SandboxOutcome,
  SandboxSpec,
} from './sandbox.ts'
import { specProblem } from './spec-problem.ts'

const firstPauseMs = 100
const longestPauseMs = 30_000
const startTimeoutMs = 60_000

const noCgroups = { inUse: false, reason: 'no executor has started', remedy: null } as const

/** The most that executions get: any, and those under the profile `strict`. */
export interface ExecutionBounds {
  readonly ceilings: SandboxLimits
  readonly strict: SandboxLimits
}

/** What a sandbox is started with. */
export interface SandboxParts {
  readonly settings: ExecutorSettings
  readonly bounds: ExecutionBounds
  /** The hash told of calls that no engine ran. */
  readonly noProfile: Digest
  /** Told of the executor that is lost and of the next ones, not of the first. Must not throw. */
  readonly onChange: (change: ExecutorChange) => void
}

interface Pending {
  readonly events: SandboxEvents
  readonly settle: (outcome: SandboxOutcome) => void
  /** Aborted when the execution has ended: the calls that it made are called off. */
  readonly ended: AbortController
}

/** The server's side of the executor: many executions over one connection, and a new executor for one that is lost. */
export class RestartingSandbox implements Sandbox {
  readonly #settings: ExecutorSettings
  readonly #bounds: ExecutionBounds
  readonly #noProfile: Digest
  readonly #onChange: (change: ExecutorChange) => void
  readonly #pending = new Map<number, Pending>()
  #connection: ExecutorConnection | null = null
  /** One that has not passed its self-test yet. */
  #starting: ExecutorConnection | null = null
  #description: SandboxDescription = {
    engine: 'none',
    version: '',
    profiles: null,
    strictProfiles: null,
    cgroups: noCgroups,
    checks: [],
  }
  #nextRun = 0
  #closed = false
  #pauseMs = firstPauseMs
  #restart: NodeJS.Timeout | null = null

  private constructor({ settings, bounds, noProfile, onChange }: SandboxParts) {
    this.#settings = settings
    this.#bounds = bounds
    this.#noProfile = noProfile
    this.#onChange = onChange
  }

  /** @throws McpworksError `sandbox_unavailable` */
  static async start(parts: SandboxParts): Promise<RestartingSandbox> {
    const sandbox = new RestartingSandbox(parts)
    const { lost } = await sandbox.#open()
    void lost.then((end) => sandbox.#onLoss(end))
    return sandbox
  }

  async run(spec: SandboxSpec, events: SandboxEvents = {}): Promise<SandboxOutcome> {
    const problem = specProblem(spec, toExecutorBounds.bodyBytes)
    if (problem !== null) return { status: 'invalid', message: problem, ...this.#noFacts() }
    const connection = this.#connection
    if (connection === null)
      return { status: 'unavailable', message: 'The sandbox is starting again.', ...this.#noFacts() }
    if (events.signal?.aborted === true)
      return {
        status: 'killed',
        reason: 'cancelled',
        message: 'The call was cancelled before it started.',
        ...this.#noFacts(),
      }
    const run = this.#nextRun
    this.#nextRun += 1
    const { promise, resolve } = Promise.withResolvers<SandboxOutcome>()
    const cancel = (): void => connection.send({ type: 'cancel', run })
    events.signal?.addEventListener('abort', cancel, { once: true })
    const ended = new AbortController()
    this.#pending.set(run, { events, settle: resolve, ended })
    const { id, runtime, entry, files, inputJson, depth = 0, isStrict = false } = spec
    const { ceilings, strict } = this.#bounds
    connection.send(
      {
        type: 'run',
        run,
        id,
        runtime,
        entry,
        files: [...files].map(([path, bytes]) => [path, bytes.byteLength]),
        limits: lowered(spec.limits, isStrict ? strict : ceilings),
        depth,
        fresh: isStrict,
        calls: events.onCall !== undefined,
      },
      Buffer.concat([...files.values(), Buffer.from(inputJson)]),
    )
    const outcome = await promise
    ended.abort()
    events.signal?.removeEventListener('abort', cancel)
    return isStrict ? this.#underStrict(outcome) : outcome
  }

  isReady(): boolean {
    return this.#connection !== null
  }

  describe(): SandboxDescription {
    return this.#description
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    await Promise.all([this.#connection?.close(), this.#starting?.close()])
  }

  /** Answers the end of the executor that it opened. */
  async #open(): Promise<{ readonly lost: Promise<ExecutorEnd> }> {
    const answer = Promise.withResolvers<Extract<FromExecutor, { type: 'ready' | 'refused' }>>()
    const connection = startExecutor(this.#settings, (message, body) => {
      if (message.type === 'ready' || message.type === 'refused') answer.resolve(message)
      else this.#take(message, body)
    })
    this.#starting = connection
    const lost = connection.lost.then((end) => {
      const message = 'The sandbox executor ended at its start.'
      answer.reject(new McpworksError('sandbox_unavailable', { detail: end.stderr, message }))
      return end
    })
    const timer = setTimeout(() => {
      answer.reject(
        new McpworksError('sandbox_unavailable', { message: 'The sandbox executor did not start in time.' }),
      )
      void connection.close()
    }, startTimeoutMs)
    const first = await answer.promise.finally(() => {
      clearTimeout(timer)
      this.#starting = null
    })
    if (first.type === 'refused') {
      await connection.close()
      throw new McpworksError('sandbox_unavailable', { message: `No sandbox, so nothing is run: ${first.message}` })
    }
    if (this.#closed) {
      await connection.close()
      throw new McpworksError('sandbox_unavailable', { message: 'The sandbox was closed while it started.' })
    }
    const { engine, version, profiles, freshProfiles, cgroups, checks } = first
    const { python, typescript } = freshProfiles
    const strictProfiles = { python: this.#strictProfile(python), typescript: this.#strictProfile(typescript) }
    this.#description = { engine, version, profiles, strictProfiles, cgroups, checks }
    this.#connection = connection
    this.#pauseMs = firstPauseMs
    return { lost }
  }

  #take(message: Exclude<FromExecutor, { type: 'ready' | 'refused' }>, body: Uint8Array): void {
    const pending = this.#pending.get(message.run)
    if (pending === undefined) return
    switch (message.type) {
      case 'log':
        pending.events.onLog?.(message.level, message.text)
        return
      case 'progress':
        pending.events.onProgress?.(message.progress, message.total, message.message)
        return
      case 'call':
        void this.#answer(message, body, pending)
        return
      case 'outcome':
        this.#pending.delete(message.run)
        pending.settle(assemble(message, Buffer.from(body.buffer, body.byteOffset, body.byteLength)))
    }
  }

  async #answer(
    { run, id, tool }: Extract<FromExecutor, { type: 'call' }>,
    body: Uint8Array,
    { events, ended }: Pending,
  ): Promise<void> {
    const connection = this.#connection
    const argumentsJson = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
    const answer = await answerInnerCall(events, { tool, argumentsJson, signal: ended.signal })
    if (ended.signal.aborted || connection === null) return
    if (answer.ok) connection.send({ type: 'answer', run, id }, Buffer.from(answer.resultJson))
    else connection.send({ type: 'refusal', run, id, code: answer.code, message: answer.message })
  }

  /** The executor is gone, and with it, by its parent-death signals, every jail. */
  #onLoss(end: ExecutorEnd): void {
    this.#connection = null
    const executions = this.#pending.size
    for (const { settle } of this.#pending.values()) {
      settle({
        status: 'killed',
        reason: 'executor-lost',
        message: 'The sandbox executor was lost; whether the code had ended is unknown.',
        ...this.#noFacts(),
      })
    }
    this.#pending.clear()
    if (this.#closed) return
    this.#onChange({ type: 'lost', end, executions })
    this.#openLater(0)
  }

  #openLater(delayMs: number): void {
    this.#restart = setTimeout(() => void this.#openAgain(), delayMs)
  }

  async #openAgain(): Promise<void> {
    try {
      const { lost } = await this.#open()
      this.#onChange({ type: 'started' })
      void lost.then((end) => this.#onLoss(end))
      // oxlint-disable-next-line mcpworks/catch-fails-closed -- until it opens, `run` refuses every call
    } catch (error) {
      if (this.#closed) return
      this.#onChange({ type: 'not-started', error })
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
      this.#openLater(this.#pauseMs)
    }
  }

  /** The bounds are applied here and the jail is the executor's: the hash says what both have done. */
  #strictProfile({ name, hash }: { name: string; hash: Digest }): { name: string; hash: Digest } {
    return { name: `${name}-strict`, hash: digestJson({ jail: hash, bounds: { ...this.#bounds.strict } }) }
  }

  /** The outcome with the profile that it was under. What no engine ran was under none. */
  #underStrict(outcome: SandboxOutcome): SandboxOutcome {
    const { profile: name, profileHash: hash } = outcome
    if (hash === this.#noProfile) return outcome
    const strict = this.#strictProfile({ name, hash })
    return { ...outcome, profile: strict.name, profileHash: strict.hash }
  }

  #noFacts(): SandboxFacts {
    return {
      engine: this.#description.engine,
      profile: 'none',
      profileHash: this.#noProfile,
      usage: { wallMs: 0, cpuMs: 0, maxRssBytes: 0 },
      stdout: '',
      stderr: '',
      droppedBytes: 0,
    }
  }
}

function assemble({ outcome, sizes }: Extract<FromExecutor, { type: 'outcome' }>, body: Buffer): SandboxOutcome {
  const [result, out] = sizes
  const stdout = body.toString('utf8', result, result + out)
  const stderr = body.toString('utf8', result + out)
  if (outcome.status === 'ok') return { ...outcome, resultJson: body.toString('utf8', 0, result), stdout, stderr }
  return { ...outcome, stdout, stderr }
}
