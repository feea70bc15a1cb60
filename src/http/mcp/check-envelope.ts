import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { RequestHead } from '../request-head.ts'
import { decodeHeaderValue } from './header-value.ts'
import { logLevels } from './log-level.ts'
import { legacyVersions, metaKeys, modernVersion, isModernVersion, supportedVersions } from './protocol-version.ts'
import type { Message } from './read-message.ts'
import type { ProtocolRefusal } from './refuse-message.ts'

/** Which rules a message falls under, or why under none. */
export type EnvelopeResult =
  | {
      readonly era: 'modern'
      readonly protocolVersion: string
      readonly clientCapabilities: JsonObject
      readonly logLevel: string | null
    }
  | { readonly era: 'legacy'; readonly protocolVersion: string | null }
  | { readonly era: 'none'; readonly refusal: ProtocolRefusal }

/** Methods whose `Mcp-Name` header repeats a member of params (MCP 2026-07-28, transports "Standard request headers"). */
const nameMember: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

/**
 * Decides by body and headers together which revision a request or notification is for, and that both say the same.
 * The body leads; a header that differs is refused, so that no one on the way can be told something else than we are
 * (-32020). Does not look at whether the method exists.
 */
export function checkEnvelope(head: RequestHead, message: Extract<Message, { method: string }>): EnvelopeResult {
  const meta = isJsonObject(message.params._meta) ? message.params._meta : {}
  const claimed = meta[metaKeys.protocolVersion]
  const header = head.protocolVersion
  if (claimed === undefined && (header === undefined || !isModernVersion(header))) return checkLegacy(header)
  if (message.method === 'initialize' && claimed === undefined) {
    return mismatch(
      'MCP-Protocol-Version',
      `initialize belongs to revisions before ${modernVersion}, the header names ${quote(header)}`,
    )
  }
  const problem = message.kind === 'request' ? findMetaProblem(meta) : null
  if (problem !== null) return problem
  const version = typeof claimed === 'string' ? claimed : header
  if (version === undefined) return missing([metaKeys.protocolVersion])
  if (header !== undefined && header !== version) {
    return mismatch('MCP-Protocol-Version', `the header says ${quote(header)}, the body ${quote(version)}`)
  }
  if (version !== modernVersion) return unsupported(version, [modernVersion])
  const headers = message.kind === 'request' ? checkHeaders(head, message.method, message.params) : null
  if (headers !== null) return headers
  const capabilities = meta[metaKeys.clientCapabilities]
  const logLevel = meta[metaKeys.logLevel]
  return {
    era: 'modern',
    protocolVersion: version,
    clientCapabilities: isJsonObject(capabilities) ? capabilities : {},
    logLevel: typeof logLevel === 'string' ? logLevel : null,
  }
}

function checkLegacy(header: string | undefined): EnvelopeResult {
  if (header === undefined) return { era: 'legacy', protocolVersion: null }
  // 2025-03-26 is what a server must assume where the header is missing, so a client may say it too.
  if (legacyVersions.includes(header) || header === '2025-03-26') return { era: 'legacy', protocolVersion: header }
  return unsupported(header, supportedVersions)
}

function findMetaProblem(meta: JsonObject): EnvelopeResult | null {
  const absent = [metaKeys.protocolVersion, metaKeys.clientCapabilities].filter((key) => meta[key] === undefined)
  if (absent.length > 0) return missing(absent)
  if (typeof meta[metaKeys.protocolVersion] !== 'string') return malformed(metaKeys.protocolVersion, 'a string')
  if (!isJsonObject(meta[metaKeys.clientCapabilities])) return malformed(metaKeys.clientCapabilities, 'an object')
  const info = meta[metaKeys.clientInfo]
  if (
    info !== undefined &&
    !(isJsonObject(info) && typeof info.name === 'string' && typeof info.version === 'string')
  ) {
    return malformed(metaKeys.clientInfo, 'an object with name and version')
  }
  const level = meta[metaKeys.logLevel]
  if (level !== undefined && !(typeof level === 'string' && logLevels.includes(level))) {
    return malformed(metaKeys.logLevel, `one of ${logLevels.join(', ')}`)
  }
  return null
}

function checkHeaders(head: RequestHead, method: string, params: JsonObject): EnvelopeResult | null {
  if (head.protocolVersion === undefined) return mismatch('MCP-Protocol-Version', 'the header is missing')
  if (head.mcpMethod === undefined) return mismatch('Mcp-Method', 'the header is missing')
  if (head.mcpMethod !== method) {
    return mismatch('Mcp-Method', `the header says ${quote(head.mcpMethod)}, the body ${quote(method)}`)
  }
  const member = Object.hasOwn(nameMember, method) ? nameMember[method] : undefined
  if (member === undefined) return null
  const name = params[member]
  if (typeof name !== 'string') return null
  if (head.mcpName === undefined) return mismatch('Mcp-Name', 'the header is missing')
  const decoded = decodeHeaderValue(head.mcpName)
  if (decoded === null) return mismatch('Mcp-Name', 'the header is not valid base64')
  if (decoded !== name) return mismatch('Mcp-Name', `the header says ${quote(decoded)}, the body ${quote(name)}`)
  return null
}

function missing(keys: readonly string[]): EnvelopeResult {
  const message = `params._meta lacks ${keys.join(' and ')}, which ${modernVersion} requires of every request.`
  return refuse({ status: 400, code: -32602, message, data: { missing: [...keys] } })
}

function malformed(key: string, expected: string): EnvelopeResult {
  return refuse({ status: 400, code: -32602, message: `params._meta["${key}"] must be ${expected}.`, data: { key } })
}

function mismatch(header: string, what: string): EnvelopeResult {
  return refuse({ status: 400, code: -32020, message: `${header} must repeat the body: ${what}.`, data: { header } })
}

/** `supported` to a client of the new era is what `server/discover` says; older revisions are agreed on by `initialize`. */
function unsupported(requested: string, supported: readonly string[]): EnvelopeResult {
  const message = `This server does not speak protocol version ${quote(requested)}.`
  return refuse({
    status: 400,
    code: -32022,
    message,
    data: { supported: [...supported], requested: requested.slice(0, 100) },
  })
}

function refuse(refusal: ProtocolRefusal): EnvelopeResult {
  return { era: 'none', refusal }
}

/** What a caller sent, short enough to show back to it. */
function quote(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 100))
}
