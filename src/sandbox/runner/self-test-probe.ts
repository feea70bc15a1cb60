/** Hosted code of the self-test: tries what must fail and tells how it failed. Judged outside. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync } from 'node:fs'

// clone, execve
const numbers: Readonly<Record<string, readonly [number, number]>> = { x64: [56, 59], arm64: [220, 221] }
const sigchld = 17

function attempt(action: () => void): string {
  try {
    action()
    return 'done'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

const open = (path: string, flags: string) => (): void => closeSync(openSync(path, flags))

/** Raw system calls where the runtime offers them; else what the runtime itself says of starting a program. */
async function starts(): Promise<{ process: string; exec: string }> {
  if (process.versions['bun'] === undefined) {
    const { error } = spawnSync('/usr/bin/node', ['--version'])
    const answer = error === undefined ? 'done' : 'refused'
    return { process: answer, exec: answer }
  }
  const { dlopen, ptr } = await import('bun:ffi')
  const libc = dlopen('libc.so.6', {
    syscall: { args: ['i64', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'], returns: 'i64' },
  }).symbols
  const systemCall = (number: number, first: number): string =>
    Number(libc['syscall']?.(number, first, 0, 0, 0, 0)) === -1 ? 'refused' : 'done'
  const [clone, execve] = numbers[process.arch] ?? [0, 0]
  return { process: systemCall(clone, sigchld), exec: systemCall(execve, ptr(Buffer.from('/usr/bin/bun\0'))) }
}

export async function main(): Promise<object> {
  return {
    root: readdirSync('/').toSorted(),
    devices: readdirSync('/dev').toSorted(),
    environment: Object.keys(process.env).toSorted(),
    'write-root': attempt(open('/probe', 'w')),
    'write-usr': attempt(open('/usr/lib/probe', 'w')),
    'write-runner': attempt(open('/runner/probe', 'w')),
    'write-scratch': attempt(open('/tmp/probe', 'w')),
    'write-core-pattern': attempt(open('/proc/sys/kernel/core_pattern', 'w')),
    ...(await starts()),
  }
}
