import { readFileSync, realpathSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PlannedJails, pythonCommand } from './planned-jails.ts'

/** A filter that allows everything, so that what is left is what the mounts and namespaces refuse. */
const open = 'DEFAULT ALLOW'

/** What Python needs beside the libraries that every jail has. */
const python = realpathSync('/usr/bin/python3')
const pythonBinds = [
  [python, python],
  [python.replace('/bin/', '/lib/'), python.replace('/bin/', '/lib/')],
] as const

let jails: PlannedJails

beforeAll(() => {
  jails = new PlannedJails()
})

afterAll(async () => {
  await jails.close()
})

describe('a jail of nsjail', () => {
  test('tells how its first process ended, and only what that wrote', async () => {
    const run = async (code: string): Promise<object> =>
      await jails.run({ changes: { command: pythonCommand(code), policy: open } })
    expect(
      await run('import os\nos.write(1, b"out")\nos.write(2, b"err")\nos.write(3, b"up")\nos._exit(3)'),
    ).toMatchObject({
      exitCode: 3,
      stdout: 'out',
      stderr: 'err',
      channel: 'up',
    })
    // nsjail itself ends with 255 where it fails; a program may as well, and then nothing is added.
    expect(await run('import os\nos._exit(255)')).toMatchObject({ exitCode: 255, stdout: '', stderr: '' })
    expect(await run('import ctypes\nctypes.string_at(0)')).toMatchObject({ exitCode: 128 + 11, stderr: '' })
    const kill = 'import ctypes\nctypes.CDLL(None).syscall(165, 0, 0, 0, 0, 0)'
    expect(await jails.run({ changes: { command: pythonCommand(kill) } })).toMatchObject({
      exitCode: 128 + 31,
      stderr: '',
    })
  })

  test('that cannot be made says why, in words of nsjail and the kernel', async () => {
    const missing = await jails.run({ changes: { binds: [['/nowhere/at/all', '/x']] } })
    expect(missing.exitCode).toBe(255)
    expect(missing.stderr).toContain('/nowhere/at/all')
    expect(missing.stderr).toContain('No such file or directory')
    expect(await jails.run({ changes: { command: ['/nowhere/python'] } })).toMatchObject({
      exitCode: 255,
      stderr: expect.stringContaining("execve('/nowhere/python') failed") as string,
    })
    expect(await jails.run({ changes: { policy: 'nonsense' } })).toMatchObject({
      exitCode: 255,
      stderr: expect.stringContaining('Could not compile policy') as string,
    })
  })

  test('ends when it is killed, at whatever moment', async () => {
    const sleeper = pythonCommand('import time\ntime.sleep(600)')
    for (const kill of ['at-once', 'when-known'] as const)
      for (let round = 0; round < 10; round += 1)
        expect([137, null]).toContain((await jails.run({ kill, changes: { command: sleeper } })).exitCode)
  })

  test.each([0, 3])('that ended with %s before it was killed tells that, and not the kill', async (exitCode) => {
    const code = `
import os, signal
signal.signal(signal.SIGUSR1, lambda *_: os._exit(${String(exitCode)}))
os.write(1, b"up")
while True: signal.pause()
`
    const factOf = (pid: number, name: string): string =>
      new RegExp(`^${name}:\\s+(\\w+)`, 'm').exec(readFileSync(`/proc/${String(pid)}/status`, 'latin1'))?.[1] ?? ''
    jails.order({ changes: { command: pythonCommand(code), policy: open } })
    let inside = 0
    for (let isUp = false; inside === 0 || !isUp;) {
      const said = await jails.next()
      if (said.said === 'pid') inside = said.pid ?? 0
      if (said.said === 'output') isUp = true
    }
    const nsjail = Number(factOf(inside, 'PPid'))
    // nsjail cannot take note of the end until the kill has come.
    process.kill(nsjail, 'SIGSTOP')
    process.kill(inside, 'SIGUSR1')
    await expect.poll(() => factOf(inside, 'State'), { interval: 5 }).toBe('Z')
    jails.order('kill the last')
    while ((await jails.next()).said !== 'killed');
    process.kill(nsjail, 'SIGCONT')
    expect(await jails.next()).toMatchObject({ said: 'ended', exitCode })
  })

  test('executes nothing from its scratch space and takes a bounded number of files', async () => {
    const code = `
import errno, os
with open('/tmp/x', 'w') as file: file.write('#!/bin/x\\n')
os.chmod('/tmp/x', 0o755)
def attempt(action):
    try: action()
    except OSError as error: return errno.errorcode[error.errno]
    return 'done'
def fill():
    for number in range(20000): os.mknod('/tmp/%d' % number)
print(attempt(lambda: os.execv('/tmp/x', ['x'])), attempt(fill), len(os.listdir('/tmp')) < 16384)
`
    expect(await jails.run({ changes: { command: pythonCommand(code), policy: open } })).toMatchObject({
      exitCode: 0,
      stdout: 'EACCES ENOSPC True\n',
    })
  })

  test('can write nothing but its two tmpfs, and /fn and /tmp have the sizes that were asked for', async () => {
    const code = `
import os
lines = [line.split() for line in open('/proc/self/mountinfo')]
for fields in lines:
    print(fields[4], 'ro' if 'ro' in fields[5].split(',') else 'rw', ' '.join(sorted(o for o in fields[5].split(',') if o in ('nosuid', 'nodev', 'noexec'))))
print(sorted(name for name in os.listdir('/proc') if not name.isdigit()))
`
    const { stdout } = await jails.run({
      runtime: 'typescript',
      changes: { command: pythonCommand(code), policy: open, binds: pythonBinds },
    })
    const rows = stdout.trim().split('\n')
    expect(rows.at(-1)).toBe("['self', 'thread-self']")
    const writable = rows.filter((row) => row.split(' ')[1] === 'rw')
    expect(writable).toEqual(['/fn rw nodev noexec nosuid', '/tmp rw nodev noexec nosuid'])
    expect(rows).toContain('/proc ro nodev noexec nosuid')
    expect(rows).toContain('/ ro nodev nosuid')
    for (const row of rows.slice(0, -1)) expect(row).toContain('nosuid')
  })

  test('lets jails be made inside of it where its plan says so: own namespaces, a procfs and a tmpfs', async () => {
    const code = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def check(result, what):
    if result != 0: raise OSError(ctypes.get_errno(), what)
check(libc.unshare(0x10000000 | 0x00020000 | 0x20000000 | 0x08000000 | 0x04000000), 'unshare')
child = os.fork()
if child == 0:
    check(libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 6, b'size=65536'), 'tmpfs')
    check(libc.mount(b'proc', b'/proc', b'proc', 15, b'subset=pid'), 'proc')
    print(os.getpid(), [name for name in os.listdir('/proc') if name.isdigit()])
    os.sys.stdout.flush()
    os._exit(0)
os._exit(os.waitpid(child, 0)[1])
`
    const changes = {
      command: pythonCommand(`import sys\n${code}`),
      policy: open,
      procfs: { path: '/proc', isWritable: false, shows: 'whole', covered: [] },
    } as const
    expect(await jails.run({ changes })).toMatchObject({ stdout: "1 ['1']\n", stderr: '', exitCode: 0 })
    // Under the filter of every other jail the first of it ends the process.
    expect(await jails.run({ changes: { command: changes.command } })).toMatchObject({ exitCode: 128 + 31, stdout: '' })
  })
})
