import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/sandbox/index.ts'
import { engineTraits } from '../../support/engine-under-test.ts'
import { openSandbox, probe, probeUnjailed, run } from './hosted-code.ts'

let sandbox: Sandbox
let hostDirectory: string
let hostFile: string

beforeAll(async () => {
  sandbox = await openSandbox()
  hostDirectory = await mkdtemp(join(tmpdir(), 'host-'))
  hostFile = join(hostDirectory, 'canary')
  await writeFile(hostFile, 'canary-of-the-host')
  await chmod(hostDirectory, 0o755)
  await chmod(hostFile, 0o644)
})

afterAll(async () => {
  await sandbox.close()
  await rm(hostDirectory, { recursive: true })
})

const look = `
def main(input):
    return {path: attempt(lambda: os.stat(path) and 'there') for path in input['paths']}
`
const read = `
def main(input):
    def text():
        with open(input['path']) as file:
            return file.read()
    return {'got': attempt(text)}
`
const hostPaths = [
  '/etc',
  '/etc/passwd',
  '/etc/shadow',
  '/etc/machine-id',
  '/home',
  '/root',
  '/var',
  '/run',
  '/run/docker.sock',
  '/var/run/docker.sock',
]
const absent = [
  ...hostPaths,
  '/sys',
  '/proc',
  '/boot',
  '/mnt',
  '/opt',
  '/srv',
  '/usr/local',
  '/usr/share/doc',
  '/usr/bin/env',
  '/bin/sh',
  '/bin',
  '/sbin',
].filter((path) => !engineTraits.adds.includes(path))

describe('files of the host', () => {
  test('are not there, by any name', async () => {
    const answers = await probe(sandbox, 'python', look, { paths: [...absent, hostFile, hostDirectory] })
    expect(new Set(Object.values(answers))).toEqual(new Set(['ENOENT']))
    const control = await probeUnjailed(look, { paths: ['/etc/passwd', '/var', '/sys', hostFile] })
    expect(new Set(Object.values(control))).toEqual(new Set(['there']))
  })

  test('cannot be read by going up, through links, or through /proc, and a file of its own can', async () => {
    const up = `/tmp/../../../../../../..${hostFile}`
    for (const path of [hostFile, up]) expect(await probe(sandbox, 'python', read, { path })).toEqual({ got: 'ENOENT' })
    expect(await probeUnjailed(read, { path: up })).toEqual({ got: 'canary-of-the-host' })
    const links = await probe(
      sandbox,
      'python',
      `
def main(input):
    os.symlink(input['path'], '/tmp/link')
    with open('/tmp/own', 'w') as file: file.write('own')
    os.symlink('/tmp/own', '/tmp/own-link')
    return {'link': attempt(lambda: open('/tmp/link').read()), 'own': attempt(lambda: open('/tmp/own-link').read())}
`,
      { path: hostFile },
    )
    expect(links).toEqual({ link: 'ENOENT', own: 'own' })
    const throughProc = await probe(
      sandbox,
      'typescript',
      `export const main = (input: { path: string }) => Object.fromEntries(
        ['/proc/self/root', '/proc/1/root', '/proc/self/cwd/..', '/proc/thread-self/root'].map((base) => [base, attempt(() => fs.readFileSync(base + input.path, 'utf8'))]))`,
      { path: hostFile },
    )
    expect(new Set(Object.values(throughProc))).toEqual(new Set(['ENOENT']))
  })
})

describe('what a jail is made of', () => {
  test('cannot be written, removed, replaced, linked or re-moded, and /tmp can', async () => {
    const code = `
def main(_):
    os.mkdir('/tmp/dir')
    open('/tmp/file', 'w').close()
    result = {}
    for place in ('/', '/usr', '/usr/lib', '/usr/lib/python3.11', '/dev', '/runner'):
        result['create in ' + place] = attempt(lambda: open(place + '/new', 'w'))
        result['mkdir in ' + place] = attempt(lambda: os.mkdir(place + '/new-dir'))
        result['rename ' + place] = attempt(lambda: os.rename(place, '/tmp/moved'))
    for file in ('/runner/main.py', '/usr/bin/python3.11', '/dev/null'):
        result['unlink ' + file] = attempt(lambda: os.unlink(file))
        result['rename over ' + file] = attempt(lambda: os.rename('/tmp/file', file))
        result['hard link ' + file] = attempt(lambda: os.link(file, '/tmp/linked'))
        result['chmod ' + file] = attempt(lambda: os.chmod(file, 0o777))
    result['open runner'] = attempt(lambda: open('/runner/main.py', 'r+'))
    result['truncate runner'] = attempt(lambda: os.truncate('/runner/main.py', 0))
    result['mknod'] = attempt(lambda: os.mknod('/tmp/device', 0o020666, os.makedev(1, 1)))
    return result
`
    const answers = await probe(sandbox, 'python', code)
    const wrong = Object.entries(answers).filter(
      ([, answer]) => !['EROFS', 'EXDEV', 'EACCES', 'EPERM', 'EBUSY'].includes(String(answer)),
    )
    expect(wrong).toEqual([])
    expect(Object.keys(answers).length).toBe(33)
    const allowed = await probe(
      sandbox,
      'python',
      `
def main(_):
    os.mkdir('/tmp/dir'); os.rename('/tmp/dir', '/tmp/other'); os.chmod('/tmp/other', 0o700)
    return {'entries': os.listdir('/tmp')}
`,
    )
    expect(allowed).toEqual({ entries: ['other'] })
  })

  test('is only what it needs: its root, its devices, its descriptors', async () => {
    const code = `
def main(_):
    import stat
    descriptors = []
    for number in range(1024):
        try: descriptors.append([number, stat.S_IFMT(os.fstat(number).st_mode)])
        except OSError: pass
    return {'root': sorted(os.listdir('/')), 'tmp': os.listdir('/tmp'), 'fn': os.listdir('/fn'), 'dev': sorted(os.listdir('/dev')), 'descriptors': descriptors}
`
    const characterDevice = 0o020000
    const socket = 0o140000
    const pipe = 0o010000
    const { adds, output } = engineTraits
    // A runtime that hands output on gives pipes of its own.
    const standard = output === 'pipe' ? [pipe, pipe, pipe] : [characterDevice, socket, socket]
    expect(await probe(sandbox, 'python', code)).toEqual({
      root: ['dev', 'fn', 'lib', 'lib64', 'runner', 'tmp', 'usr', ...adds.map((path) => path.slice(1))].toSorted(),
      tmp: [],
      fn: ['main.py'],
      dev: ['full', 'null', 'random', 'urandom'],
      descriptors: [...standard, socket].map((kind, number) => [number, kind]),
    })
  })

  test('is mounted read-only, without set-user-id and devices, and /tmp has the size that was asked for', async () => {
    const code = `
def main(_):
    flags = lambda path: os.statvfs(path).f_flag & (os.ST_RDONLY | os.ST_NOSUID | os.ST_NODEV)
    facts = os.statvfs('/tmp')
    return {'flags': {path: flags(path) for path in ('/', '/usr/lib/python3.11', '/runner/main.py', '/tmp', '/fn')}, 'bytes': facts.f_blocks * facts.f_frsize}
`
    const [readOnly, writable] = [1 | 2 | 4, 2 | 4]
    expect(await probe(sandbox, 'python', code)).toEqual({
      flags: {
        '/': readOnly,
        '/usr/lib/python3.11': readOnly,
        '/runner/main.py': readOnly,
        '/tmp': writable,
        '/fn': writable,
      },
      bytes: 16 * 1024 * 1024,
    })
  })

  test('keeps its programs from being written through /proc', async () => {
    const answers = await probe(
      sandbox,
      'typescript',
      `export const main = () => Object.fromEntries(['/proc/self/exe', '/usr/bin/bun', '/runner/main.ts'].map((path) => [path, attempt(() => fs.openSync(path, 'r+'))]))`,
    )
    for (const answer of Object.values(answers)) expect(['EROFS', 'EACCES', 'ETXTBSY']).toContain(answer)
  })
})

describe('what a function leaves behind', () => {
  test('is gone with it: nothing in /tmp, nothing changed in the copy of its own code', async () => {
    const code = `
def main(_):
    before = {'tmp': os.listdir('/tmp'), 'code': len(open('/fn/main.py').read()), 'changed': os.path.exists('/fn/extra')}
    open('/tmp/left', 'w').close()
    os.chmod('/fn/main.py', 0o644)
    with open('/fn/main.py', 'a') as file: file.write('# changed')
    open('/fn/extra', 'w').close()
    return before
`
    const first = await probe(sandbox, 'python', code)
    expect(first).toMatchObject({ tmp: [], changed: false })
    expect(await probe(sandbox, 'python', code)).toEqual(first)
  })

  test('cannot be a file of the host that the server writes for it: code with a path outside is not run', async () => {
    const outcome = await sandbox.run({
      id: 'x',
      runtime: 'python',
      files: new Map([['../../tmp/main.py', Buffer.from('def main(_): return 1')]]),
      entry: { file: '../../tmp/main.py', name: 'main' },
      inputJson: '{}',
      limits: {
        wallMs: 1000,
        cpuMs: 1000,
        memoryBytes: 1e8,
        processes: 4,
        openFiles: 32,
        scratchBytes: 65_536,
        resultBytes: 1000,
        outputBytes: 1000,
        innerCalls: 0,
      },
    })
    expect(outcome).toMatchObject({
      status: 'invalid',
      message: '"../../tmp/main.py" is no path inside of a function.',
    })
    expect(await run(sandbox, 'python', 'def main(_): return 1')).toMatchObject({ status: 'ok', resultJson: '1' })
  })
})
