import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProcess } from '../../../src/sandbox/containment/find-process.ts'
import type { Sandbox } from '../../../src/sandbox/index.ts'
import { engineTraits } from '../../support/engine-under-test.ts'
import { openSandbox, probe, probeUnjailed, run } from './hosted-code.ts'

let sandbox: Sandbox
const canary = 'canary-secret-of-the-platform'

beforeAll(async () => {
  // A secret where the server could have one: the executor and the jails must not inherit it.
  process.env['SANDBOX_TEST_SECRET'] = canary
  sandbox = await openSandbox()
})

afterAll(async () => {
  delete process.env['SANDBOX_TEST_SECRET']
  await sandbox.close()
})

const kinds = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup']

describe('the view from inside', () => {
  test('of /proc shows the own process only, and none of what tells of the host', async () => {
    const answers = await probe(
      sandbox,
      'typescript',
      `export const main = () => ({
        processes: fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)),
        parts: Object.fromEntries(['kcore', 'kmsg', 'kallsyms', 'cmdline', 'config.gz', 'version', 'keys', 'timer_list', 'modules', 'slabinfo', 'sys/kernel/osrelease']
          .map((name) => [name, attempt(() => fs.readFileSync('/proc/' + name, 'latin1').slice(0, 40))])),
        environment: [attempt(() => fs.readFileSync('/proc/self/environ', 'latin1')), JSON.stringify(process.env)],
        commandLine: process.argv,
      })`,
    )
    expect(answers['processes']).toEqual(['1'])
    const told = Object.entries(answers['parts'] as Record<string, string>).filter(
      ([, answer]) => !['ENOENT', 'EACCES', 'EPERM', ''].includes(answer),
    )
    expect(told).toEqual([])
    expect(String(answers['environment'])).not.toContain(canary)
    expect(String(answers['environment'])).toContain('TMPDIR')
    expect((answers['commandLine'] as string[]).slice(0, 2)).toEqual(['/usr/bin/bun', '/runner/main.ts'])
    expect(
      readFileSync('/proc/self/environ', 'latin1').length + readFileSync('/proc/cmdline', 'latin1').length,
    ).toBeGreaterThan(0)
  })

  test('of kernel settings can write none of them', async () => {
    const settings = [
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/modprobe',
      '/proc/sys/kernel/hostname',
      '/proc/sysrq-trigger',
      '/proc/self/oom_score_adj',
      '/proc/1/mem',
      '/proc/self/uid_map',
      '/proc/self/setgroups',
    ]
    const answers = await probe(
      sandbox,
      'typescript',
      `export const main = (input: { settings: string[] }) => Object.fromEntries(input.settings.map((path) => [path, attempt(() => fs.writeFileSync(path, path.endsWith('adj') ? '-500' : 'x'))]))`,
      { settings },
    )
    const refusals = ['ENOENT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'EINVAL']
    expect(Object.keys(answers)).toEqual(settings)
    expect(Object.entries(answers).filter(([, answer]) => !refusals.includes(String(answer)))).toEqual([])
  })

  test('has a host name, an environment, users and groups of its own', async () => {
    const code = `
def main(_):
    return {'host': os.uname().nodename, 'environment': dict(os.environ), 'ids': [list(os.getresuid()), list(os.getresgid()), os.getgroups()], 'ppid': os.getppid(), 'pid': os.getpid()}
`
    const inside = await probe(sandbox, 'python', code)
    const { idInside } = engineTraits
    expect(inside).toMatchObject({
      host: 'sandbox',
      ids: [[idInside, idInside, idInside], [idInside, idInside, idInside], expect.any(Array)],
      ppid: 0,
      pid: 1,
    })
    expect(new Set([...((inside['ids'] as number[][])[2] ?? []), 65534])).toEqual(new Set([65534]))
    expect(JSON.stringify(inside)).not.toContain(canary)
    expect(Object.keys(inside['environment'] as object).toSorted()).toEqual([
      'BUN_RUNTIME_TRANSPILER_CACHE_PATH',
      'DO_NOT_TRACK',
      'HOME',
      'LANG',
      'OMP_NUM_THREADS',
      'OPENBLAS_NUM_THREADS',
      'PATH',
      'PWD',
      'TMPDIR',
      'TZ',
    ])
    expect((await probeUnjailed(code))['host']).toBe(hostname())
  })

  test('has no device that reaches anything, and no terminal', async () => {
    const code = `
def main(input):
    return {path: attempt(lambda: os.open(path, os.O_RDWR)) for path in input['devices']}
`
    const devices = [
      '/dev/tty',
      '/dev/console',
      '/dev/kvm',
      '/dev/mem',
      '/dev/kmsg',
      '/dev/fuse',
      '/dev/net/tun',
      '/dev/vda',
      '/dev/sda',
      '/dev/ptmx',
      '/dev/shm/x',
      '/dev/loop0',
      '/dev/zero',
    ]
    const answers = await probe(sandbox, 'python', code, { devices })
    expect(new Set(Object.values(answers))).toEqual(new Set(['ENOENT']))
    expect(await probe(sandbox, 'python', code, { devices: ['/dev/null', '/dev/full'] })).toEqual({
      '/dev/null': 'done',
      '/dev/full': 'done',
    })
  })
})

describe('namespaces and privileges', () => {
  const status = `export const main = () => ({
    status: fs.readFileSync('/proc/self/status', 'latin1'),
    interfaces: attempt(() => fs.readFileSync('/proc/net/dev', 'latin1').split('\\n').slice(2).map((line) => line.split(':')[0].trim()).filter(Boolean)),
    unix: attempt(() => fs.readFileSync('/proc/net/unix', 'latin1').trim().split('\\n')),
  })`

  test('are not those of the host, nor those of a sibling', async () => {
    const named = `
import { log } from 'mcpworks'
const { prctl } = dlopen('libc.so.6', { prctl: { args: ['i32', 'ptr'], returns: 'i32' } }).symbols
export const main = async (name: string) => {
  prctl(15, ptr(Buffer.from(name + '\\0')))
  log('named')
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}`
    const abort = new AbortController()
    const held = [1, 2].map((number) => {
      const [name, isNamed] = [`ns-${String(process.pid)}-${String(number)}`, Promise.withResolvers<undefined>()]
      const events = { onLog: () => isNamed.resolve(undefined), signal: abort.signal }
      const ended = run(sandbox, 'typescript', named, { input: name, ...events })
      void ended.then((outcome) => isNamed.reject(new Error(JSON.stringify(outcome))))
      return { name, isNamed: isNamed.promise, ended }
    })
    await Promise.all(held.map(async ({ isNamed }) => await isNamed))
    // From outside, so that it is what the kernel says.
    const who = ['self', ...held.map(({ name }) => String(findProcess(name)))]
    const shared = kinds.filter(
      (kind) => new Set(who.map((each) => readlinkSync(`/proc/${each}/ns/${kind}`))).size !== who.length,
    )
    abort.abort()
    await Promise.all(held.map(async ({ ended }) => await ended))
    expect(shared).toEqual([])
    expect(who).toHaveLength(3)
  })

  test('leave no capability, no new privileges, two filters, and no network but an own loopback', async () => {
    const { status: text, interfaces, unix } = await probe(sandbox, 'typescript', status)
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(String(text))?.[1] ?? 'absent'
    const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']
    expect(sets.map(field)).toEqual(sets.map(() => '0000000000000000'))
    expect([field('NoNewPrivs'), field('Seccomp'), field('NSpid')]).toEqual(['1', '2', '1'])
    expect(Number(field('Seccomp_filters'))).toBeGreaterThanOrEqual(2)
    // Where /proc shows processes only there is no such list at all.
    expect([['lo'], 'ENOENT']).toContainEqual(interfaces)
    expect([[expect.stringMatching(/^Num +RefCount/)], 'ENOENT']).toContainEqual(unix)
  })
})
