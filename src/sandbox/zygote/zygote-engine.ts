import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { digestJson, sha256, type Digest } from '../../kernel/index.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { Launcher, type FromLauncher, type OuterJail } from '../launcher/launcher.ts'
import { jailProfile } from '../profile/jail-profile.ts'
import type { EngineProbe, Jail, JailOrder, SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import { ForkedJail } from './forked-jail.ts'
import type { OuterEngine } from './outer-engine.ts'
import { Zygotes } from './zygotes.ts'

/** What a zygote of one runtime is made of. */
export interface ZygoteLayout {
  /** The outer jail: what the runtime needs, with the zygote as its command. */
  readonly outer: RuntimeLayout
  /** What a jail of it becomes; `null` where the zygote's own interpreter is what runs the code. */
  readonly command: readonly string[] | null
}

/** What the engine is made of. */
export interface ZygoteParts {
  readonly engine: OuterEngine
  readonly layouts: Readonly<Record<Runtime, ZygoteLayout>>
  readonly pythonPath: string
  /** The launcher's program, readable for this process's user. */
  readonly launcherPath: string
  /** Modules that the Python zygote imports. */
  readonly preload: readonly string[]
  /** The filters that the jails add; here they only count for the hash of the profile. */
  readonly finalFilters: Readonly<Record<Runtime, Uint8Array>>
  /** Called with a new slot's process before it makes anything; jails are its children. */
  readonly onSlot: (pid: number) => void
  /** Called where the process is lost on which every jail depends. */
  readonly onLost: (why: string) => void
}

const nonceBytes = 32
const pageBytes = 4096
const resourceData = 2

/** Jails that are forked from an interpreter that has started, inside an outer jail of another engine. */
export class ZygoteEngine implements SandboxEngine {
  readonly name: string
  readonly kernel = 'host'
  readonly #parts: ZygoteParts
  readonly #launcher: Launcher
  readonly #zygotes: Readonly<Record<Runtime, Zygotes>>
  readonly #profiles: Readonly<Record<Runtime, { readonly name: string; readonly hash: Digest }>>
  readonly #jails = new Map<number, ForkedJail>()
  #nextJail = 1
  #isClosed = false

  private constructor(parts: ZygoteParts, launcher: Launcher) {
    this.#parts = parts
    this.#launcher = launcher
    this.name = parts.engine.name
    const outer = {
      python: parts.engine.outerJail(parts.layouts.python.outer),
      typescript: parts.engine.outerJail(parts.layouts.typescript.outer),
    }
    const numbers = { next: 1 }
    const zygotes = (runtime: Runtime): Zygotes =>
      new Zygotes(runtime, outer[runtime], planOf(runtime, parts), launcher, numbers)
    this.#zygotes = { python: zygotes('python'), typescript: zygotes('typescript') }
    const profile = (runtime: Runtime): { name: string; hash: Digest } => ({
      name: `${parts.engine.name}-zygote-${runtime}`,
      hash: profileHash(outer[runtime], planOf(runtime, parts), parts.finalFilters[runtime]),
    })
    this.#profiles = { python: profile('python'), typescript: profile('typescript') }
  }

  /** Starts the launcher and one zygote for each runtime. @throws Error with why one of them could not be started */
  static async open(parts: ZygoteParts): Promise<ZygoteEngine> {
    const box: { engine: ZygoteEngine | null } = { engine: null }
    const launcher = await Launcher.start(parts.pythonPath, parts.launcherPath, (message) => box.engine?.take(message))
    const engine = new ZygoteEngine(parts, launcher)
    box.engine = engine
    const ready = Promise.all(Object.values(engine.#zygotes).map(async (each) => await each.first))
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- any reason ends this with an error
    const why = await Promise.race([ready.then(() => null, reasonOf), launcher.lost])
    if (why !== null) {
      await engine.close()
      throw new Error(why)
    }
    void launcher.lost.then((said) => {
      if (!engine.#isClosed) parts.onLost(`the launcher ended: ${said}`)
    })
    return engine
  }

  async probe(): Promise<EngineProbe> {
    return await this.#parts.engine.probe()
  }

  async start(order: JailOrder): Promise<Jail> {
    const slot = await this.#zygotes[order.runtime].take()
    const nonce = randomBytes(nonceBytes).toString('base64url')
    const number = this.#nextJail
    this.#nextJail += 1
    const jail = new ForkedJail({
      kill: () => this.#launcher.send({ type: 'kill', jail: number }),
      bindMemory: (pid) => this.#bindMemory(number, pid, order),
    })
    this.#jails.set(number, jail)
    void jail.ended.then(() => this.#jails.delete(number))
    void jail.isOver.then(() => {
      this.#launcher.forget(nonce)
      slot.give()
    })
    const { codeBytes, scratchBytes } = order
    const connections = this.#launcher.expect(nonce)
    this.#launcher.send({ type: 'jail', slot: slot.number, jail: number, nonce, codeBytes, scratchBytes })
    const streams = await Promise.race([connections, jail.isOver.then(() => null)])
    if (streams === null) throw new Error('the process that makes jails was lost')
    jail.connect(streams)
    return jail
  }

  profile(runtime: Runtime): { readonly name: string; readonly hash: Digest } {
    return this.#profiles[runtime]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#launcher.close()
  }

  /** A message of the launcher. */
  take(message: FromLauncher): void {
    switch (message.type) {
      case 'born':
        return this.#jails.get(message.jail)?.isBorn(message.pid)
      case 'ended':
        return this.#jails.get(message.jail)?.isGone(message)
      case 'slot-ready':
        this.#parts.onSlot(message.pid)
        this.#launcher.send({ type: 'go', slot: message.slot })
        return undefined
      default:
        for (const each of Object.values(this.#zygotes)) each.tell(message)
    }
  }

  /** Another runtime's own reservations count as data, so its limit is what is reserved now and the function's share. */
  #bindMemory(jail: number, pid: number, { runtime, limits }: JailOrder): void {
    if (this.#parts.layouts[runtime].command === null) return
    const dataPages = Number(readFileSync(`/proc/${String(pid)}/statm`, 'latin1').split(' ')[5])
    const value = dataPages * pageBytes + limits.memoryBytes
    this.#launcher.send({ type: 'limit', jail, pid, resource: resourceData, value })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a zygote is told once, before it makes anything. */
function planOf(runtime: Runtime, { layouts, preload }: ZygoteParts): object {
  const { uid, gid, tmpfs, procfs, workingDirectory, environment, runner } = jailProfile
  return {
    ids: { uid, gid },
    tmpfs,
    procfs: procfs[runtime],
    workingDirectory,
    environment: { ...environment, PWD: workingDirectory },
    runner: `${runner}/main.py`,
    preload: runtime === 'python' ? preload : [],
    command: layouts[runtime].command,
  }
}

function profileHash({ program, arguments: list, files }: OuterJail, plan: object, finalFilter: Uint8Array): Digest {
  const given = Object.entries(files).map(([number, content]) => [number, sha256(content)])
  return digestJson({ program, arguments: list, files: given, plan, filter: sha256(finalFilter) })
}
