import { createSocket } from 'node:dgram'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { checkTarget, type ResolvedAddress } from './check-target.ts'
import type { GuardedFetchPorts } from './guarded-fetch-ports.ts'
import { refusalOf } from './refusal-of.ts'
import { resolveBySystem } from './resolve-by-system.ts'
import type { GuardedStream, StreamOutcome, StreamPolicy } from './guarded-stream.ts'

/** Makes the way out for protocols without answers. See `GuardedStream`. */
export function createGuardedStream(ports: GuardedFetchPorts = {}): GuardedStream {
  return async (address, messages, policy) => {
    const signal = AbortSignal.any([policy.signal, AbortSignal.timeout(policy.timeoutMs)])
    const given = Promise.withResolvers<StreamOutcome>()
    const give = (): void => given.resolve({ ok: false, reason: policy.signal.aborted ? 'aborted' : 'timeout' })
    signal.addEventListener('abort', give, { once: true })
    // A connection that is opened after that would be ended by nobody.
    if (signal.aborted) give()
    try {
      if (signal.aborted) return await given.promise
      return await Promise.race([given.promise, deliver(address, messages, { ...policy, signal }, ports)])
    } finally {
      signal.removeEventListener('abort', give)
    }
  }
}

async function deliver(
  address: string,
  messages: readonly Uint8Array[],
  policy: StreamPolicy,
  ports: GuardedFetchPorts,
): Promise<StreamOutcome> {
  if (address.startsWith('unix:/'))
    return await writeAll(connectPlain({ path: address.slice('unix:'.length) }), messages, policy.signal)
  const match = /^(tls|tcp|udp):\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+):([1-9]\d{0,4})$/i.exec(address)
  if (match === null) return { ok: false, reason: 'url-refused' }
  const [, scheme = '', host = '', portText = ''] = match
  const port = Number(portText)
  // The rules are those of https and of plain http; nothing is fetched.
  const target = await checkTarget(
    `${scheme === 'tls' ? 'https' : 'http'}://${host}:${port}/`,
    policy.allow,
    ports.resolve ?? resolveBySystem,
  )
  if (!target.ok) return target
  const [first] = target.addresses
  if (first === undefined) return { ok: false, reason: 'unresolvable' }
  if (policy.signal.aborted) return { ok: false, reason: 'aborted' }
  if (scheme === 'udp') return await sendDatagrams(first, port, messages)
  const name = host.replace(/^\[|\]$/g, '')
  const socket = scheme === 'tls' ? openTls(first, port, name, ports) : connectPlain({ host: first.address, port })
  return await writeAll(socket, messages, policy.signal)
}

function openTls(
  { address }: ResolvedAddress,
  port: number,
  name: string,
  { certificateAuthorities }: GuardedFetchPorts,
): Socket {
  return connectTls({
    host: address,
    port,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
  })
}

/** Writes, closes this side and waits for the other's end. What it sends is thrown away. */
async function writeAll(socket: Socket, messages: readonly Uint8Array[], signal: AbortSignal): Promise<StreamOutcome> {
  const { promise, resolve } = Promise.withResolvers<StreamOutcome>()
  let isWritten = false
  socket.on('error', (error) => resolve({ ok: false, reason: refusalOf(error) }))
  socket.once('finish', () => {
    isWritten = true
  })
  socket.once('end', () => resolve(isWritten ? { ok: true } : { ok: false, reason: 'unreachable' }))
  socket.once('close', () => resolve({ ok: false, reason: 'unreachable' }))
  const give = (): void => void socket.destroy()
  signal.addEventListener('abort', give, { once: true })
  socket.resume()
  socket.end(Buffer.concat(messages))
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', give)
    socket.destroy()
  }
}

async function sendDatagrams(
  { address, family }: ResolvedAddress,
  port: number,
  messages: readonly Uint8Array[],
): Promise<StreamOutcome> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  const failed = new Promise<StreamOutcome>((resolve) => {
    socket.once('error', () => resolve({ ok: false, reason: 'unreachable' }))
  })
  const send = async (): Promise<StreamOutcome> => {
    for (const message of messages) {
      const error = await new Promise<Error | null>((resolve) => socket.send(message, port, address, resolve))
      if (error !== null) return { ok: false, reason: 'unreachable' }
    }
    return { ok: true }
  }
  try {
    return await Promise.race([failed, send()])
  } finally {
    socket.close()
  }
}
