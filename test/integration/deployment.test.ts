import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { examineMachine } from '../../src/sandbox/deployment/examine-machine.ts'
import { architectures } from '../../src/sandbox/profile/architecture.ts'
import { assemble, bpfCode, branch, instruction, type BpfProgram } from '../../src/sandbox/profile/bpf.ts'
import { sandboxConfigSchema } from '../../src/sandbox/index.ts'

const probe = fileURLToPath(new URL('./deployment-probe.ts', import.meta.url))
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const node = [process.execPath, '--disable-warning=ExperimentalWarning', probe]
const [allow, refuse] = [instruction(bpfCode.return, 0x7fff0000), instruction(bpfCode.return, 0x00050001)]

/** What the probe says where it is run as an unprivileged user by this command; a filter goes to descriptor 3. */
async function probed(command: readonly string[], filter: Uint8Array | null = null): Promise<unknown> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { ...nobody, env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  const [, , , channel] = child.stdio
  if (channel !== null && channel !== undefined && 'end' in channel) channel.end(filter ?? Buffer.alloc(0))
  if (child.stdout === null) throw new Error('no stdout')
  let text = ''
  for await (const part of child.stdout.setEncoding('utf8') as AsyncIterable<string>) text += part
  return JSON.parse(text)
}

const bwrap = ['/usr/bin/bwrap', '--unshare-user', '--dev-bind', '/', '/']

test('a jail can be made here, by the user that would make it', async () => {
  expect(await probed(node)).toBeNull()
  const findings = await examineMachine(sandboxConfigSchema.parse({}))
  expect(findings).toMatchObject([
    { id: 'deployment', ok: true },
    { id: 'engines', ok: true },
    { id: 'namespaces', ok: true, remedy: null },
  ])
})

test('namespaces that are turned off are named, with the command that turns them on', async () => {
  expect(await probed(['/usr/bin/unshare', '--user', '--map-root-user', ...node, 'no-namespaces'])).toEqual({
    reason: 'user namespaces are turned off',
    remedy: 'sudo sysctl -w user.max_user_namespaces=15000',
  })
})

test('a container that forbids further namespaces is named', async () => {
  expect(await probed([...bwrap, '--disable-userns', ...node])).toMatchObject({
    reason: 'a bound on namespaces is reached, here or in a namespace above (user.max_*_namespaces)',
  })
})

test('a covered part of /proc is named', async () => {
  const covered = ['--unshare-pid', '--proc', '/proc', '--ro-bind', '/dev/null', '/proc/meminfo']
  expect(await probed([...bwrap, ...covered, ...node])).toMatchObject({
    reason: 'parts of /proc are covered here, as in containers, so that no jail can have a /proc of its own',
  })
  expect(await probed([...bwrap, '--unshare-pid', '--proc', '/proc', ...node])).toBeNull()
})

const numbers = architectures.get(process.arch)?.numbers ?? new Map<string, number>()
const numberOf = (name: string): number => numbers.get(name) ?? -1
const noSuchCall = instruction(bpfCode.return, 0x00050026)

/** A filter that refuses calls by name, as container engines do. */
function refusing(names: readonly string[]): Uint8Array {
  const known = names.map(numberOf).filter((number) => number >= 0)
  expect(known.length).toBe(names.length)
  const rest = known.reduce<BpfProgram>((then, number) => branch(bpfCode.jumpEqual, number, [refuse], then), [allow])
  return assemble([instruction(bpfCode.load, 0), ...rest])
}

/** A filter that refuses to make a user namespace, in the two ways that there are to start a process. */
function refusingNamespaces(): Uint8Array {
  const [cloneNewUser, argument0] = [0x10000000, 16]
  const inClone = [instruction(bpfCode.load, argument0), ...branch(bpfCode.jumpSet, cloneNewUser, [refuse], [allow])]
  const others = branch(bpfCode.jumpEqual, numberOf('clone3'), [noSuchCall], [allow])
  return assemble([instruction(bpfCode.load, 0), ...branch(bpfCode.jumpEqual, numberOf('clone'), inClone, others)])
}

test('a system-call filter that refuses namespaces is named; the one in deploy/ lets jails be made', async () => {
  const filtered = [...bwrap, '--seccomp', '3', ...node]
  expect(await probed(filtered, refusingNamespaces())).toMatchObject({
    reason: expect.stringContaining('the system-call filter or the security module of the container refuses') as string,
    remedy: expect.stringContaining('deploy/container/seccomp.json') as string,
  })
  const profile = JSON.parse(readFileSync(new URL('../../deploy/container/seccomp.json', import.meta.url), 'utf8')) as {
    syscalls: { names: string[] }[]
  }
  expect(await probed(filtered, refusing(profile.syscalls.flatMap(({ names }) => names)))).toBeNull()
})
