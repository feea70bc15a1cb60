import type { Duplex, Readable } from 'node:stream'
import type { ConfiningGroup } from '../cgroup/confining-group.ts'
import type { JailConnections } from '../launcher/launcher.ts'
import type { Jail, JailEnd } from '../sandbox-engine.ts'

/** A jail that a slot of a zygote made. Its streams are there once it is connected. */
export class ForkedJail implements Jail {
  readonly pid: Promise<number | null>
  readonly ended: Promise<JailEnd>
  /** Settles when its process is reaped: its slot is free, though what it sent may not have been read. */
  readonly isOver: Promise<JailEnd>
  readonly kill: () => void
  readonly bindMemory: (pid: number) => void
  readonly group: ConfiningGroup | null
  readonly #pid = Promise.withResolvers<number | null>()
  readonly #ended = Promise.withResolvers<JailEnd>()
  readonly #isOver = Promise.withResolvers<JailEnd>()
  #streams: JailConnections | null = null

  constructor({ kill, bindMemory, group }: Pick<ForkedJail, 'kill' | 'bindMemory' | 'group'>) {
    this.pid = this.#pid.promise
    this.ended = this.#ended.promise
    this.isOver = this.#isOver.promise
    this.kill = kill
    this.bindMemory = bindMemory
    this.group = group
  }

  get channel(): Duplex {
    return this.#connected().channel
  }

  get stdout(): Readable {
    return this.#connected().stdout
  }

  get stderr(): Readable {
    return this.#connected().stderr
  }

  connect(streams: JailConnections): void {
    this.#streams = streams
    // The far ends are gone with the process; the near ones are closed when all is read, also after an error.
    const closed = [streams.channel, streams.stdout, streams.stderr].map(closeOf)
    void Promise.all([this.isOver, ...closed]).then(([end]) => this.#ended.resolve(end))
  }

  isBorn(pid: number): void {
    this.#pid.resolve(pid)
  }

  isGone({ exitCode, cpuMs, maxRssBytes }: JailEnd & { cpuMs: number; maxRssBytes: number }): void {
    this.#pid.resolve(null)
    const end = { exitCode, usage: { cpuMs, maxRssBytes } }
    this.group?.end()
    this.#isOver.resolve(end)
    if (this.#streams === null) this.#ended.resolve(end)
  }

  #connected(): JailConnections {
    if (this.#streams === null) throw new Error('the jail is not connected')
    return this.#streams
  }
}

async function closeOf(socket: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  if (socket.closed) return
  socket.once('close', () => resolve(undefined))
  await promise
}
