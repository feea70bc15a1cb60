import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { createCertificateAuthority } from '../../test/support/certificate-authority.ts'
import { createGuardedStream } from './create-guarded-stream.ts'
import type { StreamPolicy } from './guarded-stream.ts'

const authority = createCertificateAuthority()
const stream = createGuardedStream({
  certificateAuthorities: [authority.certificate],
  resolve: async (name) => {
    if (name !== 'logs.example') throw new Error('no such name')
    return [{ address: '127.0.0.1', family: 4 }]
  },
})
const messages = [Buffer.from('5 hello'), Buffer.from('5 world')]
const loopback: StreamPolicy = {
  timeoutMs: 20_000,
  allow: { networks: ['127.0.0.0/8'] },
  signal: new AbortController().signal,
}
const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

/** A receiver that does with a connection what it is told, and what arrived whole. */
async function receiver(
  make: (take: (socket: Socket) => void) => Server = (take) => createServer({ allowHalfOpen: true }, take),
  behave: (socket: Socket) => void = (socket) => {
    socket.on('end', () => socket.end())
  },
): Promise<{ port: number; arrived: string[]; connected: Promise<void> }> {
  const arrived: string[] = []
  const { promise: connected, resolve } = Promise.withResolvers<void>()
  const server = make((socket) => {
    const chunks: Buffer[] = []
    resolve()
    socket.on('error', () => {})
    opened.push(() => socket.destroy())
    socket.on('end', () => arrived.push(Buffer.concat(chunks).toString()))
    behave(socket)
    if (socket.listenerCount('readable') === 0 && !socket.isPaused())
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  })
  server.listen(0, '127.0.0.1')
  opened.push(() => server.close())
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, arrived, connected }
}

describe('a guarded stream', () => {
  it('delivers over TCP, and knows that the other side has read all of it', async () => {
    const { port, arrived } = await receiver()
    expect(await stream(`tcp://127.0.0.1:${port}`, messages, loopback)).toEqual({ ok: true })
    expect(arrived).toEqual(['5 hello5 world'])
  })

  it('delivers over TLS to the name that the certificate is for, and to no other', async () => {
    const { certificate, key } = authority.issue(['logs.example'])
    const other = authority.issue(['other.example'])
    const good = await receiver((take) => createTlsServer({ cert: certificate, key }, take))
    expect(await stream(`tls://logs.example:${good.port}`, messages, loopback)).toEqual({ ok: true })
    expect(good.arrived).toEqual(['5 hello5 world'])
    const bad = await receiver((take) => createTlsServer({ cert: other.certificate, key: other.key }, take))
    expect(await stream(`tls://logs.example:${bad.port}`, messages, loopback)).toEqual({
      ok: false,
      reason: 'certificate-refused',
    })
    expect(bad.arrived.join('')).toBe('')
  })

  it('refuses a certificate of an authority that nobody trusts', async () => {
    const { certificate, key } = createCertificateAuthority().issue(['logs.example'])
    const { port, arrived } = await receiver((take) => createTlsServer({ cert: certificate, key }, take))
    expect(await stream(`tls://logs.example:${port}`, messages, loopback)).toEqual({
      ok: false,
      reason: 'certificate-refused',
    })
    expect(arrived.join('')).toBe('')
  })

  it('delivers to a socket of this machine', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
    opened.push(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'log')
    const arrived: string[] = []
    const server = createServer((socket) => {
      socket.on('data', (chunk: Buffer) => arrived.push(chunk.toString()))
    }).listen(path)
    opened.push(() => server.close())
    await once(server, 'listening')
    expect(await stream(`unix:${path}`, messages, loopback)).toEqual({ ok: true })
    expect(arrived.join('')).toBe('5 hello5 world')
  })

  it('opens nothing for somebody who has given up before', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stream-'))
    opened.push(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'log')
    const senders: string[] = []
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('data', (data: Buffer) => senders.push(data.toString()))
      socket.on('end', () => socket.end())
    })
    server.listen(path)
    opened.push(() => server.close())
    await once(server, 'listening')
    const closed = { ...loopback, signal: AbortSignal.abort() }
    expect(await stream(`unix:${path}`, messages, closed)).toEqual({ ok: false, reason: 'aborted' })
    // The twin comes after it, and is alone.
    expect(await stream(`unix:${path}`, messages, loopback)).toEqual({ ok: true })
    expect(senders).toEqual(['5 hello5 world'])
  })

  it('sends each message as a datagram over UDP', async () => {
    const socket = createSocket('udp4')
    opened.push(() => socket.close())
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const first = once(socket, 'message')
    expect(await stream(`udp://127.0.0.1:${socket.address().port}`, messages, loopback)).toEqual({ ok: true })
    expect(String((await first)[0])).toBe('5 hello')
  })

  it('does not call delivered what a process that ended has not read', async () => {
    const { port } = await receiver(undefined, (socket) => {
      socket.pause()
      socket.once('readable', () => socket.resetAndDestroy())
    })
    expect(await stream(`tcp://127.0.0.1:${port}`, messages, loopback)).toEqual({ ok: false, reason: 'unreachable' })
  })

  it('does not call delivered what the other side closed before it could have it all', async () => {
    const { port } = await receiver(undefined, (socket) => socket.end())
    const much = [Buffer.alloc(32 * 1024 * 1024)]
    expect(await stream(`tcp://127.0.0.1:${port}`, much, loopback)).toEqual({ ok: false, reason: 'unreachable' })
  })

  it('gives up on one that reads and never closes', async () => {
    const { port, connected } = await receiver(undefined, (socket) => {
      socket.resume()
    })
    const timed = stream(`tcp://127.0.0.1:${port}`, messages, { ...loopback, timeoutMs: 50 })
    await connected
    expect(await timed).toEqual({ ok: false, reason: 'timeout' })
    const closing = new AbortController()
    const aborted = stream(`tcp://127.0.0.1:${port}`, messages, { ...loopback, signal: closing.signal })
    closing.abort()
    expect(await aborted).toEqual({ ok: false, reason: 'aborted' })
  })

  it.each([
    ['tcp://127.0.0.1:514', { networks: [] }, 'address-refused'],
    ['tls://10.1.2.3:6514', { networks: [] }, 'address-refused'],
    ['tcp://10.1.2.3:514', { networks: ['10.0.0.0/8'] }, 'url-refused'],
    ['udp://192.0.2.1:514', { networks: ['192.0.2.0/24'] }, 'url-refused'],
    ['tls://2130706433:6514', { networks: [] }, 'address-refused'],
    ['tls://169.254.169.254:80', { networks: [] }, 'address-refused'],
    ['tls://nobody.example:6514', { networks: [] }, 'unresolvable'],
    ['tls://user@logs.example:6514', { networks: [] }, 'url-refused'],
    ['tcp://127.0.0.1:99999', { networks: ['127.0.0.0/8'] }, 'url-refused'],
    ['http://127.0.0.1:80', { networks: ['127.0.0.0/8'] }, 'url-refused'],
    ['unix:relative', { networks: [] }, 'url-refused'],
  ])('refuses %s where the policy is %j', async (address, allow, reason) => {
    expect(await stream(address, messages, { ...loopback, allow })).toEqual({ ok: false, reason })
  })
})
