import type { GroupReading, GroupUsage } from '../cgroup/group-slot.ts'
import type { ConfiningGroup } from '../cgroup/confining-group.ts'
import { FrameReader } from '../protocol/frame.ts'
import { runnerMessageSchema } from '../protocol/runner-messages.ts'
import type { JailReading } from '../evidence/jail-evidence.ts'
import { readJail } from '../evidence/read-jail.ts'
import type { Jail, JailEnd, SandboxEngine } from '../sandbox-engine.ts'
import { processMeter, type JailMeter } from './jail-meter.ts'
import { preferForOomKill } from './prefer-for-oom-kill.ts'
import { ReadingBudget } from './reading-budget.ts'

/** What comes out of a jail. Everything of it is hostile. */
export interface JailSinks {
  readonly channel: (chunk: Buffer) => void
  readonly stdout: (chunk: Buffer) => void
  readonly stderr: (chunk: Buffer) => void
}

/** How a jail was made ready, or why it was not. */
export type SealedResult =
  | { readonly ok: true; readonly jail: SealedJail }
  | { readonly ok: false; readonly why: string }

/** What a jail is sealed with and judged by. */
export interface SealOrder {
  /** The `setup` frame, with the final filter as its body. */
  readonly setup: Uint8Array
  /** What the runner must answer with `ready`. Used for one jail only. */
  readonly nonce: string
  /** The first thing that is wrong with the sealed process, as the kernel tells it, or `null`. */
  readonly unsealedReason: (pid: number) => string | null
  /** The group that the jail is moved into while it starts, so that it is in it before it gets code. */
  readonly group: ConfiningGroup | null
  /** By the first process; of that process alone where there is none. */
  readonly meter?: (pid: number) => JailMeter
  readonly signal?: AbortSignal
  /** Filters that the executor itself is under; none where it is left out. */
  readonly ownFilters?: number
  /** Of the engine; `host` where it is left out. */
  readonly kernel?: SandboxEngine['kernel']
}

const startTimeoutMs = 30_000
const readyBounds = { headerBytes: 4096, bodyBytes: 0 } as const
const keptReasonBytes = 2000

/**
 * A jail whose runner has bound itself, and of which the kernel says so, and that has received no code. It may wait; then
 * one execution takes it. Anything that it sends while it waits makes it unfit.
 */
export class SealedJail {
  readonly pid: number
  readonly ended: Promise<JailEnd>
  readonly meter: JailMeter
  readonly #jail: Jail
  readonly #outlet: Outlet
  readonly #group: ConfiningGroup | null
  readonly #ownFilters: number
  readonly kernel: SandboxEngine['kernel']

  private constructor(
    jail: Jail,
    pid: number,
    outlet: Outlet,
    order: Pick<SealOrder, 'group' | 'meter' | 'ownFilters' | 'kernel'>,
  ) {
    this.#jail = jail
    this.#group = order.group
    this.#ownFilters = order.ownFilters ?? 0
    this.kernel = order.kernel ?? 'host'
    this.meter = (order.meter ?? processMeter)(pid)
    this.pid = pid
    this.ended = jail.ended
    this.#outlet = outlet
  }

  /** Has the runner seal itself and checks it. A jail that fails is gone when this settles. Never rejects. */
  static async make(jail: Jail, order: SealOrder): Promise<SealedResult> {
    const outlet = new Outlet(jail)
    const { promise, resolve } = Promise.withResolvers<string | null>()
    const reader = new FrameReader(readyBounds)
    outlet.channel = (chunk) => {
      const problem = readyProblem(reader, chunk, order.nonce)
      if (problem !== undefined) resolve(problem)
    }
    const timer = setTimeout(() => resolve('it did not start in time'), startTimeoutMs)
    const cancel = (): void => resolve('it was cancelled')
    order.signal?.addEventListener('abort', cancel, { once: true })
    if (order.signal?.aborted === true) cancel()
    void jail.ended.then(() => {
      order.group?.end()
      resolve('the process ended before it was ready')
    })
    const confined = confine(jail, order.group)
    jail.channel.write(order.setup)
    const problem = (await promise) ?? (await confined) ?? (await sealProblem(jail, order))
    clearTimeout(timer)
    order.signal?.removeEventListener('abort', cancel)
    // Of a jail that never spoke nobody may know the process; it is not waited for.
    const pid = problem === null ? await jail.pid : null
    if (problem === null && pid !== null) {
      outlet.wait()
      return { ok: true, jail: new SealedJail(jail, pid, outlet, order) }
    }
    outlet.hurry()
    jail.kill()
    await jail.ended
    const said = outlet.reason.trim().slice(0, 300)
    return { ok: false, why: said === '' ? (problem ?? 'the process is gone') : said }
  }

  /** False once it has ended or has said anything unasked. */
  get isFit(): boolean {
    return this.#outlet.isFit
  }

  /** Processor time of the whole jail since its start, where it has a group that counts it. */
  usedCpuMs(): number | null {
    return this.#group?.cpuMs() ?? null
  }

  /** What the kernel counted of the whole jail since its start, where it has a group; also after its end. */
  used(): GroupUsage | null {
    return this.#group?.usage() ?? null
  }

  /** What the kernel tells of its first process; `null` once that is gone. */
  look(): JailReading | null {
    return readJail(this.pid, this.meter.facts(), this.#ownFilters)
  }

  /** The bounds of its group, read back; `null` where it has none. */
  lookAtGroup(): GroupReading | null {
    return this.#group?.readBack(this.pid) ?? null
  }

  /** From here on what comes out goes to the sinks. Once only. */
  take(sinks: JailSinks): void {
    this.#outlet.hand(sinks)
  }

  /** Sends a frame and calls back when it has left this process, or cannot any more. */
  send(frame: Uint8Array, sent: () => void = () => undefined): void {
    this.#jail.channel.write(frame, () => sent())
  }

  /** Kills every process of the jail. */
  kill(): void {
    this.#outlet.hurry()
    this.#jail.kill()
  }
}

/** Where the three streams of a jail go: to the sealing, then nowhere, then to the execution. */
class Outlet {
  channel: (chunk: Buffer) => void = () => undefined
  isFit = true
  reason = ''
  readonly #budget = new ReadingBudget()
  #stdout: (chunk: Buffer) => void = () => undefined
  #stderr = (chunk: Buffer): void => {
    this.reason = (this.reason + chunk.toString('utf8')).slice(0, keptReasonBytes)
  }

  constructor(jail: Jail) {
    this.#budget.read(jail.channel, (chunk) => this.channel(chunk))
    this.#budget.read(jail.stdout, (chunk) => this.#stdout(chunk))
    this.#budget.read(jail.stderr, (chunk) => this.#stderr(chunk))
    void jail.ended.then(() => (this.isFit = false))
  }

  wait(): void {
    const spoil = (): void => void (this.isFit = false)
    this.channel = spoil
    this.#stdout = spoil
    this.#stderr = spoil
  }

  /** The jail is being killed. */
  hurry(): void {
    this.#budget.lift()
  }

  hand(sinks: JailSinks): void {
    this.channel = sinks.channel
    this.#stdout = sinks.stdout
    this.#stderr = sinks.stderr
  }
}

/** The first and only thing a runner may say is `ready`, with the nonce of its setup. `undefined` until it is whole. */
function readyProblem(reader: FrameReader, chunk: Buffer, nonce: string): string | null | undefined {
  try {
    const [frame, ...more] = reader.push(chunk)
    if (frame === undefined) return undefined
    const message = runnerMessageSchema.safeParse(frame.header)
    if (!message.success || message.data.type !== 'ready' || more.length > 0 || !reader.isBetweenFrames)
      return 'its runner failed'
    return message.data.nonce === nonce ? null : 'it is not the process that was started'
  } catch {
    return 'its runner failed'
  }
}

/** The kernel takes some milliseconds to move a process, so this runs beside the start. */
async function confine(jail: Jail, group: ConfiningGroup | null): Promise<string | null> {
  const pid = await jail.pid
  if (pid === null) return null
  preferForOomKill(pid)
  const result = await group?.confine(pid)
  return result?.ok === false ? result.why : null
}

async function sealProblem(jail: Jail, order: SealOrder): Promise<string | null> {
  const pid = await jail.pid
  if (pid === null) return 'the process is gone'
  const reason = order.unsealedReason(pid)
  if (reason !== null) return reason
  try {
    jail.bindMemory?.(pid)
    return null
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- the jail is refused
  } catch {
    return 'its memory could not be bound'
  }
}
