import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { expectShown, shownCommands } from '../support/console-blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

it('shows in its first screen what really happens when its commands are typed', async () => {
  const home = mkdtempSync(join(tmpdir(), 'mcpworks-readme-'))
  const env = { ...readerEnvironment(), HOME: home, MCPWORKS_HTTP_PORT: '0' }
  const [start, ...rest] = shownCommands(readFileSync(join(root, 'README.md'), 'utf8'))
  expect(start?.command).toBe('npm start')
  expect(rest.length).toBeGreaterThan(5)
  const server = spawn('npm', ['start', '--silent'], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(server, 'exit')
  try {
    const banner: string[] = []
    for await (const line of createInterface({ input: server.stdout })) {
      banner.push(line)
      if (line.startsWith('Ctrl-C')) break
    }
    expectShown(banner, start?.output ?? [], 'npm start')
    const key =
      banner
        .find((line) => line.trim().startsWith('analyst'))
        ?.trim()
        .split(/\s+/)[1] ?? ''
    expect(key).toMatch(/^mcpw_/)
    let exported = {}
    for (const { command, output } of rest) {
      // The variable is the reader's own: the key on their screen.
      if (command.startsWith('export ')) {
        exported = { MCPWORKS_AGENT_KEY: key }
        continue
      }
      const typed = command.replaceAll('/tmp/mcpworks-copy', join(home, 'copy'))
      let { stdout } = await shell(typed, { ...env, ...exported })
      // Checkpoints follow their records after a moment; a reader types more slowly than this.
      while (stdout.some((line) => line.includes('not signed yet'))) {
        ;({ stdout } = await shell(typed, { ...env, ...exported }))
      }
      expectShown(stdout, output, typed)
    }
  } finally {
    // Ctrl-C at a terminal reaches the whole group.
    if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, 'SIGINT')
    await ended
    rmSync(home, { recursive: true, force: true })
  }
})

/** The environment without what the test runner put there. */
function readerEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|VITE|NODE_|TEST$|npm_|MCPWORKS_)/.test(name)),
  )
}

/** Types a line as a reader would, in their shell. */
async function shell(command: string, env: NodeJS.ProcessEnv): Promise<{ stdout: string[] }> {
  // oxlint-disable-next-line mcpworks/no-shell -- what the README shows is typed into a shell
  const child = spawn('bash', ['-c', command], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  return { stdout: lines }
}
