import type { IncomingMessage } from 'node:http'

/** What the door reads of a request before its body. */
export interface RequestHead {
  readonly method: string
  /** Path without query, as sent; never decoded. Empty where the target is not in origin form. */
  readonly path: string
  /** Query without `?`, as sent. */
  readonly query: string
  readonly host: string | undefined
  readonly origin: string | undefined
  /** Every field value, in order. */
  readonly authorization: readonly string[]
  /** Every field value, in order. */
  readonly dpop: readonly string[]
  /** Every field value, joined as RFC 6265 section 5.4 says. */
  readonly cookie: string | undefined
  readonly accept: string | undefined
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly userAgent: string | undefined
  /** Every field value of `Forwarded`, in order. Worth nothing but from a trusted proxy. */
  readonly forwarded: readonly string[]
  /** The same of `X-Forwarded-For`. */
  readonly xForwardedFor: readonly string[]
  readonly protocolVersion: string | undefined
  readonly mcpMethod: string | undefined
  readonly mcpName: string | undefined
  readonly sessionId: string | undefined
  /** `Sec-Fetch-Site` (Fetch Metadata): a browser's word on where the request came from. */
  readonly fetchSite: string | undefined
  /** `X-MCPWorks-CSRF`: the session's token against forged requests. */
  readonly csrf: string | undefined
  /** `Mcp-Param-*` fields by lower-case name; `null` where there is none. */
  readonly parameters: ReadonlyMap<string, string> | null
  /** A field that must be sent once and was not, by its lower-case name. */
  readonly repeated: string | null
}

type SingleField = keyof Pick<
  RequestHead,
  | 'host'
  | 'origin'
  | 'contentType'
  | 'contentEncoding'
  | 'protocolVersion'
  | 'mcpMethod'
  | 'mcpName'
  | 'sessionId'
  | 'fetchSite'
  | 'csrf'
>

/** Fields that mean nothing when they come twice. */
const single: ReadonlyMap<string, SingleField> = new Map([
  ['host', 'host'],
  ['origin', 'origin'],
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['mcp-protocol-version', 'protocolVersion'],
  ['mcp-method', 'mcpMethod'],
  ['mcp-name', 'mcpName'],
  ['mcp-session-id', 'sessionId'],
  ['sec-fetch-site', 'fetchSite'],
  ['x-mcpworks-csrf', 'csrf'],
])

/**
 * Reads the head from the raw fields. Node keeps only the first of two Host or Authorization fields, and another
 * party on the way may keep the last, so a repeated one is reported rather than chosen from.
 */
export function readRequestHead(request: IncomingMessage): RequestHead {
  const fields: Partial<Record<SingleField, string>> = {}
  const authorization: string[] = []
  const dpop: string[] = []
  const forwarded: string[] = []
  const xForwardedFor: string[] = []
  let cookie: string | undefined
  let accept: string | undefined
  let userAgent: string | undefined
  let parameters: Map<string, string> | null = null
  let repeated: string | null = null
  const raw = request.rawHeaders
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase()
    const value = raw[index + 1] as string
    const field = single.get(name)
    if (field !== undefined) {
      if (fields[field] !== undefined) repeated ??= name
      fields[field] = value
    } else if (name === 'authorization') {
      authorization.push(value)
    } else if (name === 'dpop') {
      dpop.push(value)
    } else if (name === 'forwarded') {
      forwarded.push(value)
    } else if (name === 'x-forwarded-for') {
      xForwardedFor.push(value)
    } else if (name === 'cookie') {
      cookie = cookie === undefined ? value : `${cookie}; ${value}`
    } else if (name === 'accept') {
      accept = accept === undefined ? value : `${accept},${value}`
    } else if (name === 'user-agent') {
      userAgent = value
    } else if (name.startsWith('mcp-param-')) {
      parameters ??= new Map()
      if (parameters.has(name)) repeated ??= name
      parameters.set(name, value)
    }
  }
  const target = request.url ?? ''
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  return {
    method: request.method ?? '',
    path: path.startsWith('/') ? path : '',
    query: mark === -1 ? '' : target.slice(mark + 1),
    host: fields.host,
    origin: fields.origin,
    contentType: fields.contentType,
    contentEncoding: fields.contentEncoding,
    protocolVersion: fields.protocolVersion,
    mcpMethod: fields.mcpMethod,
    mcpName: fields.mcpName,
    sessionId: fields.sessionId,
    fetchSite: fields.fetchSite,
    csrf: fields.csrf,
    authorization,
    dpop,
    cookie,
    accept,
    userAgent,
    forwarded,
    xForwardedFor,
    parameters,
    repeated,
  }
}
