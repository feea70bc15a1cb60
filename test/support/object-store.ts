import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that was taken. */
export interface StoreRequest {
  readonly method: string
  readonly key: string
  readonly status: number
}

/**
 * An object store that speaks as much of S3 as is needed, and computes each request's signature (version 4) anew from
 * what came over the wire and the secret.
 */
export class ObjectStore {
  readonly bucket = 'log-bucket'
  readonly region = 'eu-test-1'
  readonly accessKeyId = 'AKIDEXAMPLE'
  readonly secretAccessKey = 'canary-secret-of-the-object-store-0123456789'
  readonly objects = new Map<string, Buffer>()
  readonly requests: StoreRequest[] = []
  /** A store that passes over If-None-Match and If-Match. */
  ignoresConditions = false
  /** Answers 503 so many times. */
  failures = 0
  /** What is called before a write is judged: for writers that come in between. */
  beforeWrite: ((key: string) => void) | null = null
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Keys that were written, in their order. */
  get written(): string[] {
    return this.requests.filter(({ method, status }) => method === 'PUT' && status === 200).map(({ key }) => key)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const [path = ''] = (request.url ?? '').split('?')
    const key = path.slice(`/${this.bucket}/`.length)
    const { status, answer = '', etag } = this.#judge(request, path, key, body)
    this.requests.push({ method: request.method ?? '', key, status })
    response.writeHead(status, etag === undefined ? {} : { etag }).end(answer)
  }

  #judge(
    request: IncomingMessage,
    path: string,
    key: string,
    body: Buffer,
  ): { status: number; answer?: string | Buffer; etag?: string } {
    const refuse = (status: number, code: string) => ({ status, answer: `<Error><Code>${code}</Code></Error>` })
    if (this.failures > 0) {
      this.failures -= 1
      return refuse(503, 'SlowDown')
    }
    if (!this.#isSigned(request, path, body)) return refuse(403, 'SignatureDoesNotMatch')
    if (!path.startsWith(`/${this.bucket}/`)) return refuse(404, 'NoSuchBucket')
    if (request.method === 'PUT') this.beforeWrite?.(key)
    const there = this.objects.get(key)
    if (request.method === 'GET')
      return there === undefined ? refuse(404, 'NoSuchKey') : { status: 200, answer: there, etag: etagOf(there) }
    if (request.method !== 'PUT') return refuse(405, 'MethodNotAllowed')
    const { 'if-none-match': none, 'if-match': match } = request.headers
    const fails =
      (none === '*' && there !== undefined) || (match !== undefined && (there === undefined || etagOf(there) !== match))
    if (fails && !this.ignoresConditions) return refuse(412, 'PreconditionFailed')
    this.objects.set(key, body)
    return { status: 200, etag: etagOf(body) }
  }

  /** Signature version 4 (AWS General Reference, "Create a signed request"), from the request as it came. */
  #isSigned(request: IncomingMessage, path: string, body: Buffer): boolean {
    const parts =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
        request.headers.authorization ?? '',
      )
    if (parts === null) return false
    const [, id = '', day = '', region = '', names = '', signature = ''] = parts
    const time = String(request.headers['x-amz-date'])
    const payload = createHash('sha256').update(body).digest('hex')
    if (id !== this.accessKeyId || region !== this.region || !time.startsWith(day)) return false
    if (request.headers['x-amz-content-sha256'] !== payload) return false
    for (const needed of ['host', 'x-amz-content-sha256', 'x-amz-date'])
      if (!names.split(';').includes(needed)) return false
    // A condition that is not signed could be taken out on the way.
    for (const condition of ['if-match', 'if-none-match'])
      if (request.headers[condition] !== undefined && !names.split(';').includes(condition)) return false
    const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`)
    const canonical = [request.method, path, '', headers.join(''), names, payload].join('\n')
    const scope = `${day}/${region}/s3/aws4_request`
    const digest = createHash('sha256').update(canonical).digest('hex')
    const toSign = ['AWS4-HMAC-SHA256', time, scope, digest].join('\n')
    const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
    const key = hmac(hmac(hmac(hmac(`AWS4${this.secretAccessKey}`, day), region), 's3'), 'aws4_request')
    return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'))
  }
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}
