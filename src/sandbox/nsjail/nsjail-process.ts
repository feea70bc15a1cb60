import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { PassThrough, type Duplex, type Readable } from 'node:stream'
import { killIfThere } from '../kill-if-there.ts'
import type { Jail, JailEnd } from '../sandbox-engine.ts'
import { nsjailDescriptors } from './jail-plan.ts'
import { NsjailLog } from './nsjail-log.ts'

const reactionMs = 2000
const wakeMs = 20
/** What nsjail exits with where it could not make a jail, and what a program may exit with as well. */
const failed = 255

/** nsjail opens its configuration anew, at a descriptor that it was given. */
export const nsjailArguments = ['--config', `/proc/self/fd/${String(nsjailDescriptors.config)}`] as const

/** The programs that jails are made with. */
export interface NsjailPrograms {
  readonly nsjail: string
  /** Ties nsjail to the life of this process, which nsjail cannot do by itself. */
  readonly setpriv: string
}

/**
 * Starts nsjail and is the jail it makes. nsjail ties its child to its own life, and setpriv has the kernel end nsjail
 * when this process ends, however it does. A kill of this process before either has happened leaves a jail without code,
 * whose runner ends by itself at the end of its channel.
 * The first process inside is the only child of nsjail; the kernel tells its number, and nsjail's log when to look.
 * `ended` waits for every holder of the streams, which is every process inside.
 */
export function startNsjail({ nsjail, setpriv }: NsjailPrograms, configDescriptor: number): Jail {
  const child = spawn(setpriv, ['--pdeathsig', 'KILL', '--', nsjail, ...nsjailArguments], {
    env: {},
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', configDescriptor],
  })
  const [, stdout, programStderr] = child.stdio as unknown as [null, Readable, Readable]
  const channel = child.stdio[nsjailDescriptors.channel] as Duplex
  const logStream = (child.stdio as unknown[])[nsjailDescriptors.log] as Readable
  const stderr = new PassThrough()
  // A jail that is already gone breaks these pipes; `ended` tells of it.
  for (const stream of [channel, logStream, stdout, programStderr]) stream.on('error', () => stream.destroy())
  programStderr.pipe(stderr, { end: false })

  const pid = Promise.withResolvers<number | null>()
  const ended = Promise.withResolvers<JailEnd>()
  const log = new NsjailLog()
  let isKnown = false
  logStream.setEncoding('utf8')
  logStream.on('data', (part: string) => {
    log.take(part)
    if (isKnown || child.pid === undefined) return
    const inside = onlyChild(child.pid)
    if (inside === null) return
    isKnown = true
    pid.resolve(inside)
  })
  let lastResort: NodeJS.Timeout | null = null
  let wake: NodeJS.Timeout | null = null
  let isKilled = false
  const end = (): void => {
    for (const timer of [lastResort, wake]) if (timer !== null) clearTimeout(timer)
    pid.resolve(null)
    const complaints = child.exitCode === failed && !isKilled ? log.complaints() : ''
    // A process that had ended by itself may have been killed as well, before nsjail took note: its log has the truth.
    const told = log.exitCode() ?? (isKilled ? null : withoutWord(child.exitCode))
    // Of a child that failed to become the program nsjail may say that it was killed, which was its own doing.
    const exitCode = complaints === '' ? told : failed
    if (complaints !== '') stderr.write(complaints)
    stderr.once('close', () => ended.resolve({ exitCode }))
    stderr.end()
  }
  child.on('error', () => {
    if (child.pid === undefined) end()
  })
  child.on('close', end)
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  const kill = (): void => {
    isKilled = true
    lastResort ??= setTimeout(() => child.kill('SIGKILL'), reactionMs)
    void pid.promise.then((inside) => {
      // Not once nsjail is gone: from then on the number may belong to another process.
      if (inside === null || !isRunning()) return
      killIfThere(inside)
      // nsjail may miss the signal of its child's end just before it waits for one, and would see it a second later.
      wake ??= setTimeout(() => child.kill('SIGCHLD'), wakeMs)
    })
  }
  return { channel, stdout, stderr, pid: pid.promise, ended: ended.promise, kill }
}

/** An end of which nsjail said nothing is no success, whatever its own exit code. */
function withoutWord(exitCode: number | null): number | null {
  return exitCode === 0 ? failed : exitCode
}

/** The child of a process that has one thread and no more than one child; `null` where it has none yet. */
function onlyChild(pid: number): number | null {
  let text: string
  try {
    text = readFileSync(childrenPath(pid), 'latin1')
  } catch {
    return null
  }
  const number = Number.parseInt(text, 10)
  return Number.isNaN(number) ? null : number
}

/** Where the kernel lists the children of a process. */
export function childrenPath(pid: number): string {
  return `/proc/${String(pid)}/task/${String(pid)}/children`
}
