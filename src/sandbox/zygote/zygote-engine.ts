import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { digestJson, sha256, type Digest } from '../../kernel/index.ts'
import type { GroupPool } from '../cgroup/group-pool.ts'
import type { GroupBounds, GroupSlot } from '../cgroup/group-slot.ts'
import { BirthGroup } from '../cgroup/jail-group.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { Launcher, type FromLauncher, type OuterJail } from '../launcher/launcher.ts'
import { jailProfile } from '../profile/jail-profile.ts'
import type { EngineProbe, Jail, JailOrder, SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import { ForkedJail } from './forked-jail.ts'
import type { OuterEngine } from './outer-engine.ts'
import { Zygotes, type Slot } from './zygotes.ts'

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
  /** Where each slot gets a cgroup, in which its jails are born; `null` where there are none. */
  readonly groups: GroupPool | null
  /** The bounds of a jail's group. */
  readonly groupBounds: (order: JailOrder) => GroupBounds
  /** Called where the process is lost on which every jail depends. */
  readonly onLost: (why: string) => void
}

/** Where the jails of a slot are born: in its cgroup, in none where there are none, or nowhere. */
type SlotPlace = { readonly ok: true; readonly group: GroupSlot | null } | { readonly ok: false; readonly why: string }

const nonceBytes = 32
/** Of a slot's group until its first jail. */
const slotBounds = { memoryBytes: 256 * 1024 * 1024, processes: 16 }
const pageBytes = 4096
/** Within this a killed process is reaped, also on a machine that is very busy. */
const killPatienceMs = 10_000
const killRoundMs = 1000
const resourceData = 2

/** Jails that are forked from an interpreter that has started, inside an outer jail of another engine. */
export class ZygoteEngine implements SandboxEngine {
  readonly name: string
  readonly kernel = 'host'
  readonly bringsGroups = true
  readonly #parts: ZygoteParts
  readonly #launcher: Launcher
  readonly #zygotes: Readonly<Record<Runtime, Zygotes>>
  readonly #profiles: Readonly<Record<Runtime, { readonly name: string; readonly hash: Digest }>>
  readonly #jails = new Map<number, ForkedJail>()
  readonly #places = new Map<number, PromiseWithResolvers<SlotPlace>>()
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
    const { slot, groupSlot } = await this.#takeSlot(order.runtime)
    const group = groupSlot === null ? null : this.#begin(groupSlot, order, slot)
    const nonce = randomBytes(nonceBytes).toString('base64url')
    const number = this.#nextJail
    this.#nextJail += 1
    const jail = new ForkedJail({
      kill: () => this.#kill(number, jail),
      bindMemory: (pid) => this.#bindMemory(number, pid, order),
      group,
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
    // Jails that nobody waits for are gone with it, and it has told of no end.
    for (const jail of this.#jails.values()) jail.isGone({ exitCode: null, cpuMs: 0, maxRssBytes: 0 })
  }

  /** A message of the launcher. */
  take(message: FromLauncher): void {
    switch (message.type) {
      case 'born':
        return this.#jails.get(message.jail)?.isBorn(message.pid)
      case 'ended':
        return this.#jails.get(message.jail)?.isGone(message)
      case 'slot-ready':
        void this.#placeSlot(message.slot, message.pid)
        return undefined
      case 'slot-lost':
        void this.#loseSlot(message.slot, message.why)
        for (const each of Object.values(this.#zygotes)) each.tell(message)
        return undefined
      default:
        for (const each of Object.values(this.#zygotes)) each.tell(message)
    }
  }

  /**
   * Where the launcher does not answer, everything is ended with it: an execution must not outlive its limits. The time is
   * counted in rounds, so that a stop of this process, or of the machine, is not held against the launcher.
   */
  #kill(number: number, jail: ForkedJail): void {
    this.#launcher.send({ type: 'kill', jail: number })
    let rounds = 0
    const wait = setInterval(() => {
      rounds += 1
      if (rounds * killRoundMs >= killPatienceMs) this.#launcher.kill()
    }, killRoundMs)
    void jail.isOver.then(() => clearInterval(wait))
  }

  /** One on whose account nothing is left of the jails that it made. @throws Error where it could not be placed */
  async #takeSlot(runtime: Runtime): Promise<{ readonly slot: Slot; readonly groupSlot: GroupSlot | null }> {
    for (;;) {
      const slot = await this.#zygotes[runtime].take()
      const place = await this.#placeOf(slot.number).promise
      if (!place.ok) throw new Error(place.why)
      const { group } = place
      if (!slot.isUsed || group?.isClean() !== false) return { slot, groupSlot: group }
      slot.spoil()
    }
  }

  #begin(group: GroupSlot, order: JailOrder, slot: Slot): BirthGroup {
    try {
      return new BirthGroup(group, this.#parts.groupBounds(order))
    } catch (error) {
      slot.spoil()
      throw error
    }
  }

  #placeOf(slot: number): PromiseWithResolvers<SlotPlace> {
    const known = this.#places.get(slot)
    if (known !== undefined) return known
    const place = Promise.withResolvers<SlotPlace>()
    this.#places.set(slot, place)
    return place
  }

  /** A slot is moved once, before it may make anything; its jails are born where it is. */
  async #placeSlot(slot: number, pid: number): Promise<void> {
    const place = await this.#groupFor(pid)
    this.#placeOf(slot).resolve(place)
    this.#launcher.send({ type: place.ok ? 'go' : 'close', slot })
  }

  async #groupFor(pid: number): Promise<SlotPlace> {
    const { groups } = this.#parts
    if (groups === null) return { ok: true, group: null }
    let group: GroupSlot | null = null
    try {
      group = groups.take(slotBounds)
      await group.join(pid)
      return { ok: true, group }
    } catch (error) {
      if (group !== null) groups.release(group)
      return { ok: false, why: `it got no cgroup: ${reasonOf(error)}` }
    }
  }

  async #loseSlot(slot: number, why: string): Promise<void> {
    const place = this.#placeOf(slot)
    // Of no effect where it was placed before.
    place.resolve({ ok: false, why: why.trim() === '' ? 'the process that makes jails was lost' : why.trim() })
    this.#places.delete(slot)
    const placed = await place.promise
    if (placed.ok && placed.group !== null) this.#parts.groups?.release(placed.group)
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
  const { uid, gid, tmpfs, devices, procfs, workingDirectory, environment, runner } = jailProfile
  return {
    ids: { uid, gid },
    tmpfs,
    devices,
    procfs: layouts[runtime].outer.procfs === null ? null : procfs[runtime],
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
