import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'

const launch = new URL('../../bin/launch.mjs', import.meta.url).href

/** Starts a Node that becomes another one, which runs `program`; as an old Node does it, or by replacing itself. */
function start(how: 'as a child' | 'in its place', program: string): ChildProcess {
  const forget = how === 'as a child' ? 'process.execve = undefined;' : ''
  const code = `${forget} const { become } = await import(${JSON.stringify(launch)}); become(process.execPath, ['-e', ${JSON.stringify(program)}])`
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function lineOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new TypeError('no output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return line
}

describe.each(['as a child', 'in its place'] as const)('becoming another Node %s', (how) => {
  it('ends with its exit code', async () => {
    const [code] = (await once(start(how, 'process.exit(7)'), 'exit')) as [number | null]
    expect(code).toBe(7)
  })

  it('passes a signal on and waits for the orderly stop', async () => {
    const child = start(
      how,
      `process.on('SIGTERM', () => setImmediate(() => process.exit(5))); setInterval(() => {}, 1000); console.log(process.pid)`,
    )
    const pid = Number(await lineOf(child))
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(5)
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('says by its exit code that it was killed', async () => {
    const child = start(how, `setInterval(() => {}, 1000); console.log(process.pid)`)
    process.kill(Number(await lineOf(child)), 'SIGKILL')
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    expect(signal ?? code).toBe(how === 'as a child' ? 137 : 'SIGKILL')
  })
})
