import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { PublishFailure, type PublishedFile, type PublishTarget } from '../audit/index.ts'
import type { FetchOutcome } from '../egress/index.ts'
import type { PublishingConfig } from './config.ts'
import type { PublishingPorts } from './publishing-ports.ts'

const timeoutMs = 30_000
const maxErrorBytes = 64 * 1024

/** Content of the object by which it is tried whether the store keeps what is there. */
const probe = 'Written twice to see that the second time is refused.\n'

type Answer = Extract<FetchOutcome, { ok: true }>

/**
 * Objects in a store that speaks S3: path-style addresses, signature version 4 over headers and content. A store that
 * does not honour conditional writes is written to once, for that to be found out, and then refused.
 */
export function openObjectStore(
  name: string,
  options: PublishingConfig['store'] & { readonly endpoint: string },
  ports: Pick<PublishingPorts, 'fetch' | 'clock' | 'networks' | 'signal'>,
): PublishTarget {
  let isTried = false

  async function send(
    method: 'GET' | 'PUT',
    path: string,
    { headers = {}, body = '', maxBytes = maxErrorBytes }: SendOptions = {},
  ): Promise<FetchOutcome> {
    const url = `${options.endpoint.replace(/\/+$/, '')}/${options.bucket}/${options.prefix}${path}`
    const signed = await new AwsV4Signer({
      method,
      url,
      headers: { ...headers, 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') },
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey,
      service: 's3',
      region: options.region,
      datetime: new Date(ports.clock.nowMs()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
    }).sign()
    return ports.fetch(
      url,
      {
        method,
        headers: Object.fromEntries(signed.headers),
        ...(method === 'PUT' ? { body } : {}),
        signal: ports.signal,
      },
      { purpose: 'publishing', maxBytes, timeoutMs, allow: { networks: ports.networks } },
    )
  }

  async function put(
    path: string,
    body: string | Uint8Array,
    mediaType: string,
    condition: Record<string, string>,
  ): Promise<'written' | 'refused'> {
    const answer = answered(await send('PUT', path, { headers: { ...condition, 'content-type': mediaType }, body }))
    if (answer.status === 200) return 'written'
    if (answer.status === 412) return 'refused'
    throw refusal(answer)
  }

  /** Before the first write: a store that passes over conditions would overwrite whatever it has. */
  async function requireConditions(): Promise<void> {
    if (isTried) return
    const once = () => put('conditional-writes', probe, 'text/plain; charset=utf-8', { 'if-none-match': '*' })
    const isKept = (await once()) === 'refused' || (await once()) === 'refused'
    const other = { 'if-match': '"00000000000000000000000000000000"' }
    if (!isKept || (await put('conditional-writes', probe, 'text/plain; charset=utf-8', other)) !== 'refused')
      throw new PublishFailure(
        'it overwrites what is there although it is asked not to (If-None-Match, If-Match): nothing is written to it',
      )
    isTried = true
  }

  return {
    name,
    async read(path, maxBytes) {
      const outcome = await send('GET', path, { maxBytes: Math.max(maxBytes, maxErrorBytes) })
      if (!outcome.ok && outcome.reason === 'too-large') return { bytes: new Uint8Array(), version: '' }
      const answer = answered(outcome)
      if (answer.status === 404 && !isCode(answer, 'NoSuchBucket')) return null
      if (answer.status !== 200) throw refusal(answer)
      return fileOf(answer)
    },
    async create(path, bytes, mediaType) {
      await requireConditions()
      return (await put(path, bytes, mediaType, { 'if-none-match': '*' })) === 'written' ? 'created' : 'there'
    },
    async replace(path, bytes, mediaType, version) {
      await requireConditions()
      const condition = version === null ? { 'if-none-match': '*' } : { 'if-match': version }
      return (await put(path, bytes, mediaType, condition)) === 'written' ? 'replaced' : 'changed'
    },
  }
}

interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly maxBytes?: number
}

/** @throws PublishFailure where there is no answer */
function answered(outcome: FetchOutcome): Answer {
  if (outcome.ok) return outcome
  throw new PublishFailure(`it cannot be reached (${outcome.reason})`)
}

/** @throws PublishFailure for an answer without the name of this version: it could not be replaced as what it is */
function fileOf({ headers, body }: Answer): PublishedFile {
  const version = headers['etag'] ?? ''
  if (version === '') throw new PublishFailure('it gives no ETag')
  return { bytes: body, version }
}

function isCode({ body }: Answer, code: string): boolean {
  return Buffer.from(body).includes(`<Code>${code}</Code>`)
}

function refusal(answer: Answer): PublishFailure {
  const code = /<Code>([A-Za-z]{1,60})<\/Code>/.exec(Buffer.from(answer.body).toString('latin1'))?.[1]
  return new PublishFailure(`it answers with status ${answer.status}${code === undefined ? '' : ` (${code})`}`)
}
