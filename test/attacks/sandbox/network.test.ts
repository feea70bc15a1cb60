import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/sandbox/index.ts'
import { answerOf, openSandbox, probe, probeUnjailed, run, runUnfiltered, specOf } from './hosted-code.ts'

let sandbox: Sandbox
let tcp: Server
let abstract: Server
const abstractName = `\0mcpworks-attack-${String(process.pid)}`

beforeAll(async () => {
  sandbox = await openSandbox()
  tcp = createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1')
  abstract = createServer((socket) => socket.end('reached')).listen(abstractName)
  await Promise.all([once(tcp, 'listening'), once(abstract, 'listening')])
})

afterAll(async () => {
  tcp.close()
  abstract.close()
  await sandbox.close()
})

/** Names and numbers of address families (linux/socket.h). */
const families = {
  unix: 1,
  inet: 2,
  ax25: 3,
  inet6: 10,
  netlink: 16,
  packet: 17,
  alg: 38,
  vsock: 40,
  xdp: 44,
  bluetooth: 31,
  tipc: 30,
  rxrpc: 33,
  can: 29,
}

const sockets = `
def main(input):
    import socket
    types = {'stream': 1, 'datagram': 2, 'raw': 3}
    return {f'{family} {kind}': attempt(lambda: socket.socket(number, value).close()) for family, number in input.items() for kind, value in types.items()}
`
const connect = `
def main(input):
    import socket
    def reach(family, address):
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(5)
            one.connect(address)
            return one.recv(100).decode()
    return {
        'loopback': attempt(lambda: reach(socket.AF_INET, ('127.0.0.1', input['port']))),
        'abstract': attempt(lambda: reach(socket.AF_UNIX, input['abstract'])),
    }
`

describe('the network', () => {
  test('has no family of sockets for hosted code', async () => {
    const answers = await probe(sandbox, 'python', sockets, families)
    expect(new Set(Object.values(answers))).toEqual(new Set(['EACCES']))
    expect(Object.keys(answers)).toHaveLength(39)
    expect(await probeUnjailed(sockets, { inet: 2, unix: 1 })).toMatchObject({
      'inet stream': 'done',
      'unix stream': 'done',
    })
  })

  test('does not reach a server of the host, on loopback or by an abstract name', async () => {
    const input = { port: (tcp.address() as AddressInfo).port, abstract: abstractName }
    expect(await probe(sandbox, 'python', connect, input)).toEqual({ loopback: 'EACCES', abstract: 'EACCES' })
    expect(await probeUnjailed(connect, input)).toEqual({ loopback: 'reached', abstract: 'reached' })
  })

  test('stays closed by its namespace alone if the filter were off', async () => {
    const input = { port: (tcp.address() as AddressInfo).port, abstract: abstractName }
    const [outcome] = await runUnfiltered([specOf('python', connect, input)])
    if (outcome === undefined) throw new Error('no outcome')
    expect(['ECONNREFUSED', 'ENETUNREACH']).toContain(answerOf(outcome)['loopback'])
    expect(answerOf(outcome)['abstract']).toBe('ECONNREFUSED')
  })

  test('is closed to fetch, to listening and to name look-up in TypeScript', async () => {
    const code = `
import net from 'node:net'
import dns from 'node:dns/promises'
const settled = async (make: () => Promise<unknown>) => { try { await make(); return 'reached' } catch { return 'refused' } }
export const main = async (input: { port: number }) => ({
  fetch: await settled(() => fetch('http://127.0.0.1:' + input.port)),
  metadata: await settled(() => fetch('http://169.254.169.254/')),
  lookup: await settled(() => dns.lookup('example.com')),
  listen: await settled(() => new Promise((resolve, reject) => net.createServer().on('error', reject).listen(0, '127.0.0.1', () => resolve(1)))),
  serve: await settled(async () => Bun.serve({ port: 0, fetch: () => new Response('x') })),
})`
    const answers = await probe(sandbox, 'typescript', code, { port: (tcp.address() as AddressInfo).port })
    expect(answers).toEqual({
      fetch: 'refused',
      metadata: 'refused',
      lookup: 'refused',
      listen: 'refused',
      serve: 'refused',
    })
  })

  test('does not stand in the way of what needs no network: event loops, pipes and timers', async () => {
    const code = `
import asyncio
async def main(_):
    async def slow(value):
        await asyncio.sleep(0.001)
        return value
    return {'all': await asyncio.gather(slow(1), slow(2), asyncio.to_thread(lambda: 3))}
`
    expect(await probe(sandbox, 'python', code)).toEqual({ all: [1, 2, 3] })
    expect(
      await run(
        sandbox,
        'typescript',
        'export const main = async () => { await new Promise((resolve) => setTimeout(resolve, 1)); return 1 }',
      ),
    ).toMatchObject({ resultJson: '1' })
  })
})
