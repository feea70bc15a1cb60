import { spawn } from 'node:child_process'
import type { Duplex, Readable, Writable } from 'node:stream'
import { killIfThere } from '../kill-if-there.ts'
import type { Jail, JailEnd } from '../sandbox-engine.ts'
import { jailDescriptors } from './jail-arguments.ts'

const maxStatusBytes = 4096
const reactionMs = 2000

/**
 * Starts bubblewrap and is the jail it makes. The first process inside is killed, and with it its whole process namespace;
 * bubblewrap then reaps it and ends. Killing bubblewrap itself would end the jail as well, but leave its first process to
 * be reaped by the machine's init, which in many containers reaps nothing: that is only for one that does not react.
 * `ended` waits for every holder of the streams, which is every process inside.
 */
export function startJailProcess(bubblewrapPath: string, args: readonly string[], filter: Uint8Array): Jail {
  const child = spawn(bubblewrapPath, args, {
    env: {},
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  const [, stdout, stderr] = child.stdio as unknown as [null, Readable, Readable]
  const channel = child.stdio[jailDescriptors.channel] as Duplex
  const filterPipe = child.stdio[jailDescriptors.filter] as Writable
  const status = (child.stdio as unknown[])[jailDescriptors.status] as Readable
  // A jail that is already gone breaks these pipes; `ended` tells of it.
  for (const stream of [channel, filterPipe, status, stdout, stderr]) stream.on('error', () => stream.destroy())
  filterPipe.end(filter)

  const pid = Promise.withResolvers<number | null>()
  const ended = Promise.withResolvers<JailEnd>()
  let exitCode: number | null = null
  readStatus(status, (message) => {
    if (typeof message['child-pid'] === 'number') pid.resolve(message['child-pid'])
    if (typeof message['exit-code'] === 'number') exitCode = message['exit-code']
  })
  let lastResort: NodeJS.Timeout | null = null
  const end = (): void => {
    if (lastResort !== null) clearTimeout(lastResort)
    pid.resolve(null)
    ended.resolve({ exitCode })
  }
  child.on('error', () => {
    if (child.pid === undefined) end()
  })
  child.on('close', end)
  const kill = (): void => {
    lastResort ??= setTimeout(() => child.kill('SIGKILL'), reactionMs)
    void pid.promise.then((inside) => {
      // Not once bubblewrap is gone: from then on the number may belong to another process.
      if (inside !== null && child.exitCode === null && child.signalCode === null) killIfThere(inside)
    })
  }
  return { channel, stdout, stderr, pid: pid.promise, ended: ended.promise, kill }
}

/** bubblewrap writes one JSON object a line. */
function readStatus(stream: Readable, take: (message: { readonly [name: string]: unknown }) => void): void {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (part: string) => {
    text = (text + part).slice(0, maxStatusBytes)
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('{')) take(JSON.parse(line) as { readonly [name: string]: unknown })
  })
}
