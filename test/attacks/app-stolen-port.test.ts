import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mcpworks, startServerProcess, type CommandResult } from '../support/server-process.ts'

let base: string
let thief: Server
let stolen: string[]

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'mcpworks-port-'))
  stolen = []
  thief = createServer((request, response) => {
    stolen.push(request.headers.authorization ?? '')
    response.end('{}')
  })
})
afterEach(() => {
  thief.close()
  thief.closeAllConnections()
  rmSync(base, { recursive: true, force: true })
})

const operate = (data: string, env: Record<string, string> = {}): Promise<CommandResult> =>
  mcpworks(['--data-directory', data, '--json', 'doctor'], env)
const call = (data: string, env: Record<string, string> = {}): Promise<CommandResult> =>
  mcpworks(['--data-directory', data, 'function', 'call', 'any', '-n', 'demo'], {
    MCPWORKS_AGENT_KEY: 'agent-key',
    ...env,
  })

it('a port that was taken over after the server was killed is sent no credential', async () => {
  const data = join(base, 'data')
  const server = await startServerProcess(data, ['--no-demo'])
  expect((await operate(data)).code).toBe(0)
  await server.stop('SIGKILL')
  expect(existsSync(join(data, 'server.url'))).toBe(true)
  thief.listen(Number(new URL(server.url).port), '127.0.0.1')
  await once(thief, 'listening')

  expect((await operate(data)).stdout).toContain('No server runs')
  expect((await call(data)).code).toBe(3)
  expect(stolen).toEqual([])
  // The operator's key of this machine does not follow a URL that names another server either.
  expect((await operate(data, { MCPWORKS_URL: server.url })).stdout).toContain('is not sent there')
  expect(stolen).toEqual([])
  // It would have listened: what is meant for it reaches it.
  await operate(data, { MCPWORKS_URL: server.url, MCPWORKS_API_KEY: 'meant-for-it' })
  await call(data, { MCPWORKS_URL: server.url })
  expect(stolen).toEqual(['Bearer meant-for-it', 'Bearer agent-key'])
})

it('a directory that names a server on another machine gets no key sent there', async () => {
  writeFileSync(join(base, 'server.url'), 'http://192.0.2.1:7433\n')
  writeFileSync(join(base, 'server.pid'), `${process.pid}\n`)
  expect(await call(base)).toMatchObject({ code: 3, stderr: expect.stringContaining('No server runs') })
  // The same directory, naming this machine: the living process is taken for its server.
  thief.listen(0, '127.0.0.1')
  await once(thief, 'listening')
  const address = thief.address()
  writeFileSync(join(base, 'server.url'), `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}\n`)
  await call(base)
  expect(stolen).toEqual(['Bearer agent-key'])
})
