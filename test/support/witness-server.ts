import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a witness remembers of a log. */
interface Seen {
  readonly size: number
  readonly root: Buffer
}

/**
 * A witness (c2sp.org/tlog-witness) that keeps what it cosigned and checks signature and consistency, with code of its
 * own: it shares nothing with what it looks after.
 */
export class WitnessServer {
  readonly name: string
  readonly #algorithm: 'ed25519' | 'ml-dsa-44'
  readonly #keys
  readonly #logs: ReadonlyMap<string, readonly Uint8Array[]>
  readonly #seen = new Map<string, Seen>()
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': status === 409 ? 'text/x.tlog.size' : 'text/plain' }).end(body)
    })
  })
  /** Statuses answered, in their order. */
  readonly answered: number[] = []
  /** In place of an honest answer, once. */
  lie: { status: number; body: string } | null = null

  /** `logs`: raw keys of the logs that it knows, by origin; looked up with each request. */
  constructor(
    name: string,
    logs: ReadonlyMap<string, readonly Uint8Array[]>,
    algorithm: 'ed25519' | 'ml-dsa-44' = 'ed25519',
  ) {
    this.name = name
    this.#logs = logs
    this.#algorithm = algorithm
    this.#keys = algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ml-dsa-44')
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/w`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  get keyLine(): string {
    const material = this.#material()
    return `${this.name}+${this.#keyId().toString('hex')}+${material.toString('base64')}`
  }

  /** Type byte and key. */
  #material(): Buffer {
    const jwk = this.#keys.publicKey.export({ format: 'jwk' })
    const raw = this.#algorithm === 'ed25519' ? jwk.x : (jwk as { pub?: string }).pub
    return Buffer.concat([Buffer.from([this.#algorithm === 'ed25519' ? 4 : 6]), Buffer.from(raw ?? '', 'base64url')])
  }

  #keyId(): Buffer {
    return createHash('sha256').update(`${this.name}\n`).update(this.#material()).digest().subarray(0, 4)
  }

  /** A cosignature line over a checkpoint's text. */
  cosign(text: string, seconds = 1_795_000_000n): string {
    const [origin = '', size = '0', root = ''] = text.split('\n')
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(seconds)
    const end = Buffer.alloc(8)
    end.writeBigUInt64BE(BigInt(size))
    const message =
      this.#algorithm === 'ed25519'
        ? Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`)
        : Buffer.concat([
            Buffer.from('subtree/v1\n\0'),
            Buffer.from([this.name.length]),
            Buffer.from(this.name),
            time,
            Buffer.from([origin.length]),
            Buffer.from(origin),
            Buffer.alloc(8),
            end,
            Buffer.from(root, 'base64'),
          ])
    const signature = sign(null, message, this.#keys.privateKey)
    return `\u2014 ${this.name} ${Buffer.concat([this.#keyId(), time, signature]).toString('base64')}\n`
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
    const answer = this.lie ?? this.#judge(request, text)
    this.lie = null
    this.answered.push(answer.status)
    return answer
  }

  #judge(request: IncomingMessage, body: string): { status: number; body: string } {
    if (request.method !== 'POST' || request.url !== '/w/add-checkpoint') return { status: 404, body: '' }
    const cut = body.indexOf('\n\n')
    const [oldLine = '', ...proofLines] = body.slice(0, cut).split('\n')
    const note = body.slice(cut + 2)
    const old = /^old (0|[1-9]\d*)$/.exec(oldLine)?.[1]
    const [checkpoint = '', signatures = ''] = note.split('\n\n')
    const [origin = '', size = '', root = ''] = checkpoint.split('\n')
    if (old === undefined || Number(old) > Number(size)) return { status: 400, body: '' }
    const keys = this.#logs.get(origin)
    if (keys === undefined) return { status: 404, body: '' }
    const isGood = (line: string) => keys.some((key) => isSignedBy(line, origin, `${checkpoint}\n`, key))
    if (!signatures.split('\n').some(isGood)) return { status: 403, body: '' }
    const seen = this.#seen.get(origin) ?? { size: 0, root: createHash('sha256').digest() }
    if (seen.size !== Number(old)) return { status: 409, body: `${seen.size}\n` }
    const next = { size: Number(size), root: Buffer.from(root, 'base64') }
    const proof = proofLines.map((line) => Buffer.from(line, 'base64'))
    if (!isConsistent(seen, next, proof)) return { status: 422, body: '' }
    this.#seen.set(origin, next)
    return { status: 200, body: this.cosign(`${checkpoint}\n`) }
  }
}

function isSignedBy(line: string, name: string, text: string, raw: Uint8Array): boolean {
  const [, signer, encoded = ''] = line.split(' ')
  const key = createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') },
  })
  return signer === name && verify(null, Buffer.from(text), key, Buffer.from(encoded, 'base64').subarray(4))
}

/** By rebuilding both roots from the proof, top down, as RFC 6962 section 2.1.2 makes it. */
function isConsistent(first: Seen, second: Seen, proof: readonly Buffer[]): boolean {
  if (first.size === 0) return proof.length === 0
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root)
  const left = [...proof]
  const node = (one: Buffer, other: Buffer): Buffer =>
    createHash('sha256').update('\x01').update(one).update(other).digest()
  /** Roots of the old part and of all of a subtree; `isWhole` where it is known to begin at the old root. */
  const rebuild = (old: number, size: number, isWhole: boolean): { old: Buffer; all: Buffer } | null => {
    if (old === size) {
      if (isWhole) return { old: first.root, all: first.root }
      const hash = left.shift()
      return hash === undefined ? null : { old: hash, all: hash }
    }
    let split = 1
    while (split * 2 < size) split *= 2
    if (old <= split) {
      const inner = rebuild(old, split, isWhole)
      const right = left.shift()
      return inner === null || right === undefined ? null : { old: inner.old, all: node(inner.all, right) }
    }
    const inner = rebuild(old - split, size - split, false)
    const before = left.shift()
    return inner === null || before === undefined
      ? null
      : { old: node(before, inner.old), all: node(before, inner.all) }
  }
  const rebuilt = rebuild(first.size, second.size, true)
  return rebuilt !== null && left.length === 0 && rebuilt.old.equals(first.root) && rebuilt.all.equals(second.root)
}
