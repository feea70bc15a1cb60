import { z } from 'zod'
import type { CedarValueJson } from '../cedar.ts'
import { isText, textsOf, unreadable, type Extractor } from './extractor.ts'
import { readUrl, type ReadUrl } from './read-url.ts'

const parameters = z.strictObject({})
const urlLimit = 200

/**
 * The parts of one URL: `scheme`, `host`, `host_kind` (name, ipv4 or ipv6), `address` where the host is one, `port`,
 * `path`, `query`, and whether it names a user (`userinfo`). What is taken is at `readUrl`. Where a name leads is not
 * asked: it may resolve to any address.
 */
export const url: Extractor = {
  name: 'url',
  version: 1,
  parameters,
  type: {
    type: 'Record',
    attributes: {
      address: { type: 'Extension', name: 'ipaddr', required: false },
      host: { type: 'String', required: true },
      host_kind: { type: 'String', required: true },
      path: { type: 'String', required: true },
      port: { type: 'Long', required: true },
      query: { type: 'String', required: true },
      scheme: { type: 'String', required: true },
      userinfo: { type: 'Boolean', required: true },
    },
  },
  givesMoney: false,
  takes: { least: 1, most: 1 },
  whenAbsent: null,
  reads: ({ type }) => type === 'String',
  extract([input]) {
    if (input === undefined || typeof input.value !== 'string') return unreadable(input?.argument ?? '', 'is not text')
    const read = readUrl(input.value)
    if (typeof read === 'string') return unreadable(input.argument, read)
    const { scheme, host, hostKind, address, port, path, query, userinfo } = read
    const value: Record<string, CedarValueJson> = { host, host_kind: hostKind, path, port, query, scheme, userinfo }
    if (address !== null) value.address = { __extn: { fn: 'ip', arg: address } }
    return { ok: true, value, open: { host, port, scheme, userinfo } }
  },
}

/** Several URLs, in lists or in arguments of their own: each text is one URL, read as `url` reads it. */
export const urls: Extractor = {
  name: 'urls',
  version: 1,
  parameters,
  type: {
    type: 'Record',
    attributes: {
      count: { type: 'Long', required: true },
      hosts: { type: 'Set', element: { type: 'String' }, required: true },
      origins: { type: 'Set', element: { type: 'String' }, required: true },
      schemes: { type: 'Set', element: { type: 'String' }, required: true },
      userinfo: { type: 'Boolean', required: true },
    },
  },
  givesMoney: false,
  takes: { least: 1, most: 16 },
  whenAbsent: {
    value: { count: 0, hosts: [], origins: [], schemes: [], userinfo: false },
    open: { count: 0, hosts: [], schemes: [], userinfo: false },
  },
  reads: isText,
  extract(inputs) {
    const found: ReadUrl[] = []
    for (const { argument, value } of inputs) {
      const texts = textsOf(value)
      if (texts === null) return unreadable(argument, 'is not text or a list of text')
      for (const text of texts) {
        const read = readUrl(text)
        if (typeof read === 'string') return unreadable(argument, read)
        if (found.length >= urlLimit) return unreadable(argument, `holds more than ${urlLimit} URLs`)
        found.push(read)
      }
    }
    const hosts = sorted(found.map(({ host }) => host))
    const schemes = sorted(found.map(({ scheme }) => scheme))
    const userinfo = found.some((read) => read.userinfo)
    const count = found.length
    return {
      ok: true,
      value: { count, hosts, origins: sorted(found.map(originOf)), schemes, userinfo },
      open: { count, hosts, schemes, userinfo },
    }
  },
}

/** `scheme://host:port`, the port always written, an IPv6 address in brackets. */
function originOf({ scheme, host, hostKind, port }: ReadUrl): string {
  return `${scheme}://${hostKind === 'ipv6' ? `[${host}]` : host}:${port}`
}

const sorted = (texts: readonly string[]): string[] => [...new Set(texts)].sort()
