import { statfsSync } from 'node:fs'
import { FrameError, FrameReader, encodeFrame, type Frame } from '../protocol/frame.ts'
import {
  innerCallBounds,
  runnerMessageSchema,
  type RunMessage,
  type RunnerMessage,
} from '../protocol/runner-messages.ts'
import type { JailEvidence } from '../evidence/jail-evidence.ts'
import type { JailEnd } from '../sandbox-engine.ts'
import type { LimitName, SandboxEvents, SandboxFacts, SandboxOutcome, SandboxSpec, SandboxUsage } from '../sandbox.ts'
import { resultJson } from './check-result-json.ts'
import { InnerCalls } from './inner-calls.ts'
import { limitSentence } from './limit-sentence.ts'
import { OutputCapture } from './output-capture.ts'
import type { ProcessFacts, ProcessTransfer } from './process-facts.ts'
import { diedBy, verdictOf, verdictOfEnd, type Verdict } from './verdict.ts'
import { threadCeiling } from './runner-setup.ts'
import type { SealedJail } from './sealed-jail.ts'

const firstLookMs = 4
const longestLookMs = 16
const shortestLookMs = 1
/** Faster than hosted code was seen to take memory here: twice the 2 MiB a millisecond of a loop over fresh pages. */
const fastestBytesPerMs = 4 * 1024 * 1024
/** Logs and reports of progress that are passed on, and those after which it is a flood. One costs some 20 us. */
const maxMessages = 2000
const floodMessages = 10_000
const scratchInodes = 16_384
const kilobyte = 1024
const mebibyte = kilobyte * kilobyte
const headerBytes = 256 * kilobyte

/**
 * Runs one execution in a sealed jail to its end and tells how it ended. The first of these decides: the runner's answer,
 * a limit, a cancellation, the end of the process. Then everything in the jail is killed, and only when it is gone does
 * this settle. Never rejects for what hosted code does.
 */
export async function execute(
  jail: SealedJail,
  spec: SandboxSpec,
  facts: ExecutionFacts,
  events: SandboxEvents,
): Promise<SandboxOutcome> {
  return await new Execution(jail, spec, facts, events).outcome()
}

/** What is known of an execution's jail before it runs. */
export type ExecutionFacts = Pick<SandboxFacts, 'engine' | 'profile' | 'profileHash'>

class Execution {
  readonly #jail: SealedJail
  readonly #spec: SandboxSpec
  readonly #facts: ExecutionFacts
  readonly #events: SandboxEvents
  readonly #reader: FrameReader
  readonly #output: OutputCapture
  readonly #calls: InnerCalls
  readonly #floodBytes: number
  #verdict: Verdict | null = null
  #channelBytes = 0
  /** Those of them that were arguments of calls, which have bounds of their own. */
  #callBytes = 0
  #messages = 0
  #startedMs = performance.now()
  #startCpuMs = 0
  #startTransfer: ProcessTransfer | null = null
  #exitCode: number | null = null
  #isKilled = false
  #usage: SandboxUsage = { wallMs: 0, cpuMs: 0, maxRssBytes: 0 }
  #peakOwnBytes = 0
  #fileBytes: number | null = null
  #evidence: JailEvidence | null = null
  #timer: NodeJS.Timeout | null = null
  #look: NodeJS.Timeout | null = null

  constructor(jail: SealedJail, spec: SandboxSpec, facts: ExecutionFacts, events: SandboxEvents) {
    this.#jail = jail
    this.#spec = spec
    this.#facts = facts
    this.#events = events
    this.#floodBytes = 16 * spec.limits.outputBytes + 4 * mebibyte
    const bodyBytes = Math.max(spec.limits.resultBytes, innerCallBounds.argumentBytes)
    this.#reader = new FrameReader({ headerBytes, bodyBytes })
    this.#calls = new InnerCalls(spec.limits.innerCalls, events.onCall, (frame, sent) => jail.send(frame, sent))
    this.#output = new OutputCapture(spec.limits.outputBytes, this.#floodBytes, () => this.#breach('output'))
  }

  async outcome(): Promise<SandboxOutcome> {
    const cancel = (): void =>
      this.#decide({ status: 'killed', reason: 'cancelled', message: 'The call was cancelled.' })
    this.#jail.take({
      channel: (chunk) => this.#take(chunk),
      stdout: (chunk) => this.#output.take('stdout', chunk),
      stderr: (chunk) => this.#output.take('stderr', chunk),
    })
    this.#events.signal?.addEventListener('abort', cancel, { once: true })
    if (this.#events.signal?.aborted === true) cancel()
    else this.#sendCode()
    const end = await this.#jail.ended
    this.#events.signal?.removeEventListener('abort', cancel)
    this.#calls.end()
    this.#measureGroup()
    this.#measureEnd(end)
    this.#stopClocks()
    const isOurKill = this.#isKilled && end.exitCode === diedBy.kill
    if (this.#verdict === null && !isOurKill) this.#exitCode = end.exitCode
    return this.#withFacts(this.#verdict ?? this.#verdictOfEnd(end))
  }

  #take(chunk: Buffer): void {
    if (this.#verdict !== null) return
    this.#channelBytes += chunk.length
    if (this.#channelBytes > this.#floodBytes + this.#spec.limits.resultBytes + this.#callBytes)
      return this.#breach('output')
    try {
      for (const frame of this.#reader.push(chunk)) {
        this.#takeFrame(frame)
        if (this.#isDecided()) return
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      if (error.tooLarge) this.#breach('result')
      else this.#refuseGarbage()
    }
  }

  #isDecided(): boolean {
    return this.#verdict !== null
  }

  #takeFrame(frame: Frame): void {
    const parsed = runnerMessageSchema.safeParse(frame.header)
    if (!parsed.success) return this.#refuseGarbage()
    const message = parsed.data
    if (message.type === 'ready') return this.#refuseGarbage()
    this.#takeMessage(message, frame.body)
  }

  #takeMessage(message: Exclude<RunnerMessage, { type: 'ready' }>, body: Uint8Array): void {
    switch (message.type) {
      case 'log':
      case 'progress':
        this.#messages += 1
        if (this.#messages > floodMessages) return this.#breach('output')
        // Each costs the server work.
        if (this.#messages > maxMessages) return
        if (message.type === 'log') this.#events.onLog?.(message.level, message.text.toWellFormed())
        else this.#events.onProgress?.(message.progress, message.total, message.message?.toWellFormed() ?? null)
        return
      case 'call':
        return this.#takeCall(message.id, message.tool, body)
      case 'result': {
        if (body.length > this.#spec.limits.resultBytes) return this.#breach('result')
        const text = resultJson(body)
        if (text === null) return this.#refuseGarbage()
        return this.#decide({ status: 'ok', resultJson: text })
      }
      case 'error':
        if (message.status === 'limit') return this.#breach(message.limit)
        return this.#decide(verdictOf(message))
    }
  }

  #takeCall(id: number, tool: string, body: Uint8Array): void {
    this.#callBytes += body.length
    const taken = this.#calls.take(id, tool, body)
    if (taken === 'limit') this.#breach('inner-calls')
    else if (taken === 'garbage') this.#refuseGarbage()
  }

  #sendCode(): void {
    const { entry, files, inputJson, limits } = this.#spec
    const message: RunMessage = {
      entry,
      files: [...files].map(([path, bytes]) => [path, bytes.byteLength]),
      resultBytes: limits.resultBytes,
      calls: { atOnce: innerCallBounds.atOnce, argumentBytes: innerCallBounds.argumentBytes },
    }
    const before = this.#jail.look()
    // Without evidence nothing that comes out is believed; a process that is gone gets no code by itself.
    if (before !== null)
      this.#evidence = { kernel: this.#jail.kernel, before, after: null, group: this.#jail.lookAtGroup() }
    this.#startedMs = performance.now()
    this.#startCpuMs = this.#cpuMs()
    this.#startTransfer = this.#jail.meter.transfer()
    this.#jail.send(encodeFrame(message, ...files.values(), Buffer.from(inputJson)))
    this.#timer = setTimeout(() => this.#breach('wall'), limits.wallMs)
    this.#lookLater(firstLookMs)
  }

  #lookLater(delayMs: number): void {
    this.#look = setTimeout(() => {
      const roomBytes = this.#watch()
      const soonestMs = Math.max(shortestLookMs, roomBytes / fastestBytesPerMs)
      if (this.#verdict === null) this.#lookLater(Math.min(delayMs * 2, longestLookMs, soonestMs))
    }, delayMs)
  }

  /** Answers how much more memory the function may take, so that the next look comes before it can have taken far more. */
  #watch(): number {
    const { limits, runtime } = this.#spec
    const facts = this.#measure()
    if (facts === null) return 0
    // It is ending by itself. Who is to be told of its exit must not be hurried.
    if (!facts.hasMemory && facts.threads <= 1) return limits.memoryBytes
    // Either all are ending, or other threads go on where their memory cannot be watched. How it ends tells which.
    if (!facts.hasMemory) this.#killUndecided()
    else if (facts.ownBytes > limits.memoryBytes) this.#breach('memory')
    else if (this.#usage.cpuMs > limits.cpuMs) this.#breach('cpu')
    else if (facts.threads > threadCeiling(runtime, limits)) this.#breach('processes')
    else if ((this.#scratchFiles() ?? 0) > scratchInodes) this.#breach('scratch')
    return limits.memoryBytes - facts.ownBytes
  }

  /**
   * bubblewrap cannot bound the number of files in a tmpfs, and each costs kernel memory. `null` once the process is gone;
   * that it can be counted at all is part of the self-test.
   */
  #scratchFiles(): number | null {
    try {
      const used = ['tmp', 'fn'].map((name) => {
        const { files, ffree } = statfsSync(`/proc/${String(this.#jail.pid)}/root/${name}`)
        return files - ffree
      })
      return Math.max(...used)
    } catch {
      return null
    }
  }

  #measure(): ProcessFacts | null {
    const facts = this.#jail.meter.facts()
    if (facts === null) return null
    this.#peakOwnBytes = Math.max(this.#peakOwnBytes, facts.ownBytes)
    this.#fileBytes = facts.fileBytes
    this.#usage = {
      ...this.#usage,
      cpuMs: Math.max(this.#usage.cpuMs, this.#cpuMs() - this.#startCpuMs),
      maxRssBytes: Math.max(this.#usage.maxRssBytes, facts.peakRssBytes),
      ...this.#transferred(),
    }
    return facts
  }

  /** Where the jail has a group: counted by the kernel, and to be had after its end. */
  #measureGroup(): void {
    const used = this.#jail.used()
    if (used === null) return
    const cpuMs = Math.max(this.#usage.cpuMs, (used.cpuMs ?? 0) - this.#startCpuMs)
    const { peakMemoryBytes, peakProcesses } = used
    this.#usage = {
      ...this.#usage,
      cpuMs,
      peakMemoryBytes,
      ...(peakProcesses === null ? {} : { peakProcesses }),
    }
  }

  /** Bytes since the code was sent; nothing where that cannot be told. */
  #transferred(): Pick<SandboxUsage, 'readBytes' | 'writtenBytes'> {
    const before = this.#startTransfer
    const now = before === null ? null : this.#jail.meter.transfer()
    if (before === null || now === null) return {}
    return {
      readBytes: Math.max(0, now.readBytes - before.readBytes),
      writtenBytes: Math.max(0, now.writtenBytes - before.writtenBytes),
    }
  }

  /** A process may be gone before it can be looked at; the kernel tells its parent what it used. */
  #measureEnd({ usage }: JailEnd): void {
    if (usage === undefined) return
    const { cpuMs, maxRssBytes } = this.#usage
    this.#usage = {
      ...this.#usage,
      cpuMs: cpuMs === 0 ? usage.cpuMs : cpuMs,
      maxRssBytes: Math.max(maxRssBytes, usage.maxRssBytes),
    }
  }

  #cpuMs(): number {
    return this.#jail.usedCpuMs() ?? this.#jail.meter.cpuMs() ?? 0
  }

  #breach(limit: LimitName): void {
    this.#decide({ status: 'limit', limit, message: limitSentence(limit, this.#spec.limits) })
  }

  #refuseGarbage(): void {
    this.#decide({ status: 'invalid', message: 'The function wrote to the channel that carries its result.' })
  }

  /** The first verdict counts. What the process used is read before it is gone. */
  #decide(verdict: Verdict): void {
    if (this.#verdict !== null) return
    this.#verdict = verdict
    this.#calls.end()
    this.#measure()
    if (this.#evidence !== null) this.#evidence = { ...this.#evidence, after: this.#jail.look() }
    this.#stopClocks()
    this.#jail.kill()
  }

  #killUndecided(): void {
    this.#isKilled = true
    this.#jail.kill()
  }

  #stopClocks(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#look !== null) clearTimeout(this.#look)
    if (this.#usage.wallMs === 0) this.#usage = { ...this.#usage, wallMs: performance.now() - this.#startedMs }
  }

  #verdictOfEnd(end: JailEnd): Verdict {
    const used = { cpuMs: this.#usage.cpuMs, ownBytes: this.#mostOwnBytes(), group: this.#jail.used() }
    return verdictOfEnd(end, this.#spec.limits, used)
  }

  /** Much can be taken after the last look where the machine is busy: the kernel tells the most of the whole life. */
  #mostOwnBytes(): number {
    if (this.#fileBytes === null) return this.#peakOwnBytes
    return Math.max(this.#peakOwnBytes, this.#usage.maxRssBytes - this.#fileBytes)
  }

  #withFacts(verdict: Verdict): SandboxOutcome {
    return {
      ...verdict,
      ...this.#facts,
      ...(this.#evidence === null ? {} : { evidence: this.#evidence }),
      usage: this.#usage,
      ...(this.#exitCode === null ? {} : { exitCode: this.#exitCode }),
      stdout: this.#output.text('stdout'),
      stderr: this.#output.text('stderr'),
      droppedBytes: this.#output.droppedBytes,
    }
  }
}
