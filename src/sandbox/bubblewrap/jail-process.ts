import { spawn } from 'node:child_process'
import type { Duplex, Readable, Writable } from 'node:stream'
import type { Jail, JailEnd } from '../sandbox-engine.ts'
import { jailDescriptors } from './jail-arguments.ts'

const maxStatusBytes = 4096

/**
 * Starts bubblewrap and is the jail it makes. Killing bubblewrap ends the jail: its first process dies with it, and with
 * that the whole process namespace. `ended` waits for every holder of the streams, which is every process inside.
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
  const end = (): void => {
    pid.resolve(null)
    ended.resolve({ exitCode })
  }
  child.on('error', () => {
    if (child.pid === undefined) end()
  })
  child.on('close', end)
  return { channel, stdout, stderr, pid: pid.promise, ended: ended.promise, kill: () => child.kill('SIGKILL') }
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
