import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { probeLimits } from '../containment/ask-jail.ts'
import { runnerSetup } from '../executor/runner-setup.ts'
import { readTextFormat, type ReadMessage } from '../../../test/support/read-text-format.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { jailProfile } from '../profile/jail-profile.ts'
import { outerPlan, runnerPlan, strictestProcfs, type JailPlan } from './jail-plan.ts'
import { nsjailConfig } from './nsjail-config.ts'

const sizes = { codeBytes: 4_194_304, scratchBytes: 1_048_576 }
const python: RuntimeLayout = {
  binds: [
    ['/usr/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu'],
    ['/usr/bin/python3.11', '/usr/bin/python3.11'],
    ['/var/cache/runner.py', '/runner/main.py'],
  ],
  links: [['usr/lib', '/lib']],
  command: ['/usr/bin/python3.11', '-I', '/runner/main.py'],
  procfs: null,
}
const typescript: RuntimeLayout = {
  ...python,
  command: ['/usr/bin/bun', 'run', '/runner/main.ts'],
  procfs: { covered: ['/proc/version', '/proc/sys/'] },
}

function configOf(layout: RuntimeLayout, changes: Partial<JailPlan> = {}): ReadMessage {
  return readTextFormat(nsjailConfig({ ...runnerPlan(layout, sizes, 'DEFAULT KILL'), ...changes }))
}

function mountsOf(config: ReadMessage): readonly ReadMessage[] {
  return (config['mount'] ?? []).map((mount) => {
    if (typeof mount === 'string') throw new Error('a mount is a message')
    return mount
  })
}

const mounted = (config: ReadMessage, path: string): ReadMessage | undefined =>
  mountsOf(config).find((mount) => mount['dst']?.[0] === path)

describe('the configuration for nsjail', () => {
  test.each([
    ['python', python],
    ['typescript', typescript],
  ])('makes every namespace, maps one id, keeps nothing and passes one descriptor (%s)', (_, layout) => {
    const config = configOf(layout)
    for (const kind of ['user', 'ns', 'pid', 'net', 'ipc', 'uts', 'cgroup'])
      expect(config[`clone_new${kind}`]).toEqual(['true'])
    const nobody = { inside_id: ['65534'], outside_id: [''], count: ['1'] }
    expect(config).toMatchObject({
      mode: ['ONCE'],
      hostname: ['sandbox'],
      cwd: ['/tmp'],
      time_limit: ['0'],
      iface_no_lo: ['true'],
      pass_fd: ['3'],
      log_fd: ['4'],
      keep_env: ['false'],
      keep_caps: ['false'],
      disable_no_new_privs: ['false'],
      skip_setsid: ['false'],
      mount_proc: ['false'],
      nice_level: ['0'],
      uidmap: [nobody],
      gidmap: [nobody],
      seccomp_string: ['DEFAULT KILL'],
    })
    expect(config['cap']).toBeUndefined()
    const environment = Object.entries({ ...jailProfile.environment, PWD: '/tmp' })
    expect(config['envar']).toEqual(environment.map(([name, value]) => `${name}=${value}`))
    const [program, ...args] = layout.command
    expect(config['exec_bin']).toEqual([{ path: [program], arg: args }])
  })

  test('mounts a root, what the layout lists, four devices and two tmpfs, in this order and nothing else', () => {
    const config = configOf(python)
    expect(mountsOf(config).map((mount) => mount['dst']?.[0])).toEqual([
      '/',
      ...python.binds.map(([, path]) => path),
      '/lib',
      '/dev/null',
      '/dev/full',
      '/dev/random',
      '/dev/urandom',
      '/fn',
      '/tmp',
    ])
    for (const [source, path] of python.binds)
      expect(mounted(config, path)).toEqual({
        src: [source],
        dst: [path],
        is_bind: ['true'],
        rw: ['false'],
        nosuid: ['true'],
        nodev: ['true'],
      })
    expect(mounted(config, '/lib')).toEqual({ src: ['usr/lib'], dst: ['/lib'], is_symlink: ['true'] })
    expect(mounted(config, '/')).toMatchObject({ fstype: ['tmpfs'], rw: ['false'], nosuid: ['true'], nodev: ['true'] })
    expect(mounted(config, '/dev/null')).toMatchObject({ is_bind: ['true'], rw: ['false'], noexec: ['true'] })
  })

  test('bounds each tmpfs in bytes and files, and nothing in it can be executed', () => {
    const flags = { rw: ['true'], nosuid: ['true'], nodev: ['true'], noexec: ['true'] }
    const config = configOf(python)
    const options = (bytes: number, mode: string): string[] => [`size=${String(bytes)},nr_inodes=16384,mode=${mode}`]
    expect(mounted(config, '/fn')).toMatchObject({ options: options(4_194_304, '0755'), ...flags })
    expect(mounted(config, '/tmp')).toMatchObject({ options: options(1_048_576, '1777'), ...flags })
    const none = nsjailConfig(runnerPlan(python, { codeBytes: 0, scratchBytes: 0 }, ''))
    // Size 0 would be no bound at all.
    expect(none).not.toContain('size=0')
  })

  test('shows processes only in the procfs of TypeScript, and covers what tells of the host where the kernel is old', () => {
    const flags = { rw: ['false'], nosuid: ['true'], nodev: ['true'], noexec: ['true'] }
    expect(mounted(configOf(python), '/proc')).toBeUndefined()
    const covered = typescript.procfs?.covered ?? []
    const recent = configOf(typescript, { procfs: strictestProcfs(covered, '5.8.0-generic') })
    expect(mounted(recent, '/proc')).toEqual({
      src: ['proc'],
      dst: ['/proc'],
      fstype: ['proc'],
      options: ['subset=pid,hidepid=4'],
      ...flags,
    })
    expect(mounted(recent, '/proc/version')).toBeUndefined()
    const old = configOf(typescript, { procfs: strictestProcfs(covered, '5.4.0') })
    expect(mounted(old, '/proc')?.['options']).toBeUndefined()
    expect(mounted(old, '/proc/version')).toMatchObject({ src: ['/dev/null'], is_bind: ['true'], rw: ['false'] })
    expect(mounted(old, '/proc/sys')).toMatchObject({ fstype: ['tmpfs'], ...flags })
    const order = mountsOf(old).map((mount) => mount['dst']?.[0])
    expect(order.indexOf('/proc')).toBeLessThan(order.indexOf('/proc/version'))
  })

  test('of an outer jail has a whole procfs aside, empty places for what its jails mount, and its log on stderr', () => {
    const outer = readTextFormat(nsjailConfig(outerPlan(typescript, 'DEFAULT ALLOW')))
    expect(outer).toMatchObject({ log_fd: ['2'], log_level: ['WARNING'], pass_fd: ['3'], keep_caps: ['false'] })
    const procfs = mounted(outer, '/runner/proc')
    expect(procfs).toMatchObject({
      fstype: ['proc'],
      rw: ['true'],
      nosuid: ['true'],
      nodev: ['true'],
      noexec: ['true'],
    })
    expect(procfs?.['options']).toBeUndefined()
    for (const path of ['/fn', '/tmp', '/proc']) {
      expect(mounted(outer, path)).toBeUndefined()
      expect(mounted(outer, `${path}/empty`)).toMatchObject({ is_symlink: ['true'] })
    }
    const ofPython = readTextFormat(nsjailConfig(outerPlan(python, 'DEFAULT ALLOW')))
    expect(mounted(ofPython, '/proc/empty')).toBeUndefined()
  })

  test("writes limits in nsjail's units, rounded up, and leaves the others as they are rather than at its defaults", () => {
    const limits = [
      [0, 12],
      [1, 1_048_577],
      [4, 0],
      [6, 17],
      [7, 72],
      [8, 0],
      [9, 3 * 1024 * 1024],
      [12, 0],
    ] as const
    expect(configOf(python, { limits })).toMatchObject({
      rlimit_cpu: ['12'],
      rlimit_cpu_type: ['VALUE'],
      rlimit_fsize: ['2'],
      rlimit_core: ['0'],
      rlimit_nproc: ['17'],
      rlimit_nofile: ['72'],
      rlimit_memlock: ['0'],
      rlimit_as: ['3'],
      rlimit_msgqueue: ['0'],
      rlimit_stack_type: ['SOFT'],
      rlimit_rtprio_type: ['HARD'],
    })
    const open = configOf(typescript)
    expect(open).toMatchObject({ rlimit_as_type: ['HARD'], rlimit_cpu_type: ['HARD'], rlimit_nofile_type: ['HARD'] })
    expect(open['rlimit_as']).toBeUndefined()
    expect(() => configOf(python, { limits: [[2, 1]] })).toThrow('nsjail has no limit 2')
  })

  test('takes the limits that every runner gets', () => {
    for (const runtime of ['python', 'typescript'] as const) {
      const { limits } = runnerSetup(runtime, probeLimits, 0, '')
      expect(limits.map(([number]) => number)).toContain(11)
      expect(configOf(python, { limits })).toMatchObject({ rlimit_nofile_type: ['VALUE'] })
    }
  })

  test('keeps every string a string, whatever is in it', () => {
    const hostile = '/x" }\nkeep_caps: true\nmount { dst: "/\\'
    const config = configOf(python, { binds: [[hostile, '/usr/x:y,é\u2028']], command: ['/bin/a', hostile, '', '#'] })
    expect(config['keep_caps']).toEqual(['false'])
    expect(mountsOf(config)[1]).toMatchObject({ src: [hostile], dst: ['/usr/x:y,é\u2028'] })
    expect(config['exec_bin']).toEqual([{ path: ['/bin/a'], arg: [hostile, '', '#'] }])
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }), (one, two) => {
        fc.pre(!one.includes('\0') && !two.includes('\0'))
        expect(configOf(python, { command: ['/bin/a', one, two] })['exec_bin']).toEqual([
          { path: ['/bin/a'], arg: [one, two] },
        ])
      }),
    )
  })

  test('refuses a null character, at which a path would end early, and a jail without a command', () => {
    expect(() => configOf(python, { binds: [['/etc\0/usr', '/usr']] })).toThrow('null character')
    expect(() => configOf(python, { command: [] })).toThrow('a jail needs a command')
  })
})
