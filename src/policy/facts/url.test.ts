import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest } from '../../../test/support/policy-request.ts'
import type { JsonValue } from '../../kernel/index.ts'
import { createCedarPolicyEngine } from '../create-cedar-policy-engine.ts'
import { readUrl } from './read-url.ts'
import { url, urls } from './url.ts'
import { growth, linearGrowth } from '../../../test/support/growth.ts'

describe('a URL that all readers take apart alike', () => {
  it.each<[string, object]>([
    [
      'https://example.com',
      { scheme: 'https', host: 'example.com', hostKind: 'name', port: 443, path: '/', query: '' },
    ],
    ['HTTPS://EXAMPLE.com/A', { scheme: 'https', host: 'example.com', path: '/A' }],
    ['http://example.com:8080/v1/x?q=a%20b#part', { port: 8080, path: '/v1/x', query: 'q=a%20b' }],
    ['http://example.com?x=1', { path: '/', query: 'x=1' }],
    ['http://example.com/?next=https%253A%252F%252Fx', { path: '/', query: 'next=https%253A%252F%252Fx' }],
    ['https://user:pass@example.com/', { host: 'example.com', userinfo: true }],
    ['https://example.com@evil.example/', { host: 'evil.example', userinfo: true }],
    ['https://@evil.example/', { host: 'evil.example', userinfo: true }],
    ['https://localhost/', { host: 'localhost', hostKind: 'name', address: null }],
    ['http://127.0.0.1/', { host: '127.0.0.1', hostKind: 'ipv4', address: '127.0.0.1' }],
    ['http://[::1]:80/', { host: '::1', hostKind: 'ipv6', address: '::1', port: 80 }],
    ['http://[0:0:0:0:0:0:0:1]/', { host: '::1', address: '::1' }],
    ['http://[::ffff:10.0.0.1]/', { hostKind: 'ipv6', address: '10.0.0.1' }],
    ['https://bücher.example/', { host: 'xn--bcher-kva.example' }],
    ['https://exаmple.com/', { host: 'xn--exmple-4nf.com' }],
    ['https://example.com/%61dmin/%7euser', { path: '/admin/~user' }],
    ['https://example.com/a%c3%a9', { path: '/a%C3%A9' }],
    ['https://example.com/folder/', { path: '/folder/' }],
    ['https://example.com/100%25', { path: '/100%25' }],
  ])('%s', (text, parts) => {
    expect(readUrl(text)).toMatchObject(parts)
  })
})

describe('a URL that leads readers to different places', () => {
  const notUrl = 'is no URL written as scheme://host'
  const number = 'holds a number in place of a domain'
  it.each<[string, string]>([
    ['https://evil.example\\@example.com/', 'holds a backslash, which some readers take for a slash'],
    ['https:\\\\evil.example/', 'holds a backslash, which some readers take for a slash'],
    ['https://example.com\\.evil.example/', 'holds a backslash, which some readers take for a slash'],
    ['https://a@b@example.com/', 'is a URL with more than one "@" before its path'],
    ['https://example.com%40evil.example/', 'is a URL with percent-encoding before its path'],
    ['https://a%40evil.example@example.com/', 'is a URL with percent-encoding before its path'],
    ['https://example%2ecom/', 'is a URL with percent-encoding before its path'],
    ['https://us<er@example.com/', 'is a URL whose user is not plain'],
    ['https://exa\tmple.com/', 'holds a line break, or an invisible or control character'],
    ['https://example.com/\n', 'holds a line break, or an invisible or control character'],
    ['ht\ntps://example.com/', 'holds a line break, or an invisible or control character'],
    [' https://example.com/', notUrl],
    ['https://example.com/ x', 'is a URL with characters that must be percent-encoded'],
    ['https://example.com/é', 'is a URL with characters that must be percent-encoded'],
    ['https://example.com/%zz', 'is a URL with characters that must be percent-encoded'],
    ['https://example.com/%', 'is a URL with characters that must be percent-encoded'],
    ['https://example.com/"x', 'is a URL with characters that must be percent-encoded'],
    ['https:example.com', notUrl],
    ['https:/example.com', notUrl],
    ['//example.com/', notUrl],
    ['example.com', notUrl],
    ['', notUrl],
    ['https:///example.com/', 'lacks a domain'],
    ['https://', 'lacks a domain'],
    ['https://user@/', 'lacks a domain'],
    ['data:text/html,x', notUrl],
    ['data://example.com/%0aalert(1)', 'is a URL of a scheme that is not read here'],
    ['file:///etc/passwd', 'is a URL of a scheme that is not read here'],
    ['gopher://example.com/', 'is a URL of a scheme that is not read here'],
    ['http://2130706433/', number],
    ['http://0x7f000001/', number],
    ['http://0x7f.1/', number],
    ['http://127.1/', number],
    ['http://0177.0.0.1/', number],
    ['http://127.0.0.01/', number],
    ['http://127.0.0.1.5/', number],
    ['http://256.0.0.1/', number],
    ['http://127.0.0.1./', 'holds a domain with an empty or too long label'],
    ['http://example.com./', 'holds a domain with an empty or too long label'],
    ['http://１２７.0.0.1/', 'holds a domain that readers of Unicode turn into different names'],
    ['http://①②⑦.0.0.1/', 'holds a domain that readers of Unicode turn into different names'],
    ['http://exam_ple.com/', 'holds a domain with characters that no domain has'],
    ['http://example.com,evil.example/', 'holds a domain with characters that no domain has'],
    ['http://[::1/', 'is a URL whose port is not plain'],
    ['http://[::1%25eth0]/', 'is a URL with percent-encoding before its path'],
    ['http://[evil.example]/', 'is a URL whose address is not plain'],
    ['http://[]/', 'is a URL whose address is not plain'],
    ['http://example.com:/', 'is a URL whose port is not plain'],
    ['http://example.com:080/', 'is a URL whose port is not plain'],
    ['http://example.com:+80/', 'is a URL whose port is not plain'],
    ['http://example.com:80:90/', 'is a URL whose port is not plain'],
    ['http://example.com:99999/', 'is a URL whose port is out of range'],
    ['https://example.com/a/../b', 'is a URL whose path has dot segments'],
    ['https://example.com/a/%2e%2E/b', 'is a URL whose path has dot segments'],
    ['https://example.com/a/.%2e', 'is a URL whose path has dot segments'],
    ['https://example.com/./b', 'is a URL whose path has dot segments'],
    ['https://example.com//admin', 'is a URL whose path has an empty segment'],
    ['https://example.com/a%2fb', 'is a URL whose path has an encoded separator or control character'],
    ['https://example.com/a%5Cb', 'is a URL whose path has an encoded separator or control character'],
    ['https://example.com/a%00', 'is a URL whose path has an encoded separator or control character'],
    ['https://example.com/a%0d%0aX', 'is a URL whose path has an encoded separator or control character'],
    ['https://example.com/%252e%252e/', 'is a URL whose path is encoded twice'],
    ['https://example.com/%25252e', 'is a URL whose path is encoded twice'],
    ['https://example.com/admin;x=1', 'is a URL whose path has parameters, which some servers cut off'],
    [`https://example.com/${'a'.repeat(8_200)}`, 'is longer than 8192 characters'],
  ])('%s', (text, problem) => {
    expect(readUrl(text)).toBe(problem)
  })
})

describe('any text as a URL', () => {
  const pieces = fc.constantFrom(
    'http',
    'https',
    ':',
    '/',
    '//',
    '@',
    '\\',
    '?',
    '#',
    '.',
    '%2e',
    '%40',
    'a',
    'evil',
    'example',
    'com',
    '127',
    '1',
    '[',
    ']',
    ':80',
    '0x7f',
    '\t',
    '；',
    '。',
    'é',
    ';',
  )
  const hostile = fc
    .tuple(fc.constantFrom('https://', 'http://', ''), fc.array(pieces, { maxLength: 14 }))
    .map(([start, parts]) => start + parts.join(''))

  it('is read, where it is read at all, as the URL standard reads it', () => {
    let accepted = 0
    fc.assert(
      fc.property(hostile, (text) => {
        const read = readUrl(text)
        if (typeof read === 'string') return
        accepted += 1
        const standard = new URL(text)
        expect(read.scheme).toBe(standard.protocol.slice(0, -1))
        expect(read.hostKind === 'ipv6' ? `[${read.host}]` : read.host).toBe(standard.hostname)
        expect(standard.port).toBe([80, 443].includes(read.port) && standard.port === '' ? '' : String(read.port))
        expect(`?${read.query}`).toBe(standard.search === '' ? '?' : standard.search)
        expect(read.userinfo || standard.username + standard.password === '').toBe(true)
        expect(decodeURIComponent(read.path)).toBe(decodeURIComponent(standard.pathname))
      }),
      { numRuns: 2_000 },
    )
    expect(accepted).toBeGreaterThan(20)
  })

  const plainUrl = fc
    .tuple(
      fc.constantFrom('http', 'HTTPS', 'ws'),
      fc.constantFrom('example.com', 'EXAMPLE.com', '10.0.0.1', 'bücher.example', 'u:p@a.example'),
      fc.constantFrom('', ':80', ':8443'),
      fc.stringMatching(/^(?:\/(?:[a-zA-Z~.-]|%[46][1-9a-f])+){0,3}$/),
      fc.constantFrom('', '?a=b%20c', '?%2F'),
    )
    .map(([scheme, host, port, path, query]) => `${scheme}://${host}${port}${path}${query}`)

  it('is read as the same again from what was read', () => {
    fc.assert(
      fc.property(plainUrl, (text) => {
        const read = readUrl(text)
        if (typeof read === 'string') return
        const { scheme, host, port, path, query } = read
        const again = `${scheme}://${host}:${port}${path}${query === '' ? '' : `?${query}`}`
        expect(readUrl(again)).toEqual({ ...read, userinfo: false })
      }),
    )
  })

  it.each(['a', '.', '@', '%61', '/', '%25', 'a.', ':', '['])('takes linear time for %s again and again', (piece) => {
    expect(growth(1_000, (size) => readUrl(`https://${piece.repeat(size / piece.length)}`))).toBeLessThan(linearGrowth)
  })
})

describe('several URLs', () => {
  const read = (...values: JsonValue[]) =>
    urls.extract(
      values.map((value) => ({ argument: 'links', value })),
      {},
    )

  it('are told together', () => {
    expect(read(['https://a.example/x', 'http://a.example:8080'], 'https://u@b.example')).toMatchObject({
      value: {
        count: 3,
        hosts: ['a.example', 'b.example'],
        origins: ['http://a.example:8080', 'https://a.example:443', 'https://b.example:443'],
        schemes: ['http', 'https'],
        userinfo: true,
      },
      open: { count: 3 },
    })
  })

  it('cannot be told where one of them cannot, or where there are too many', () => {
    expect(read(['https://a.example', 'https://b.example\\'])).toMatchObject({ ok: false, argument: 'links' })
    expect(read(Array<string>(201).fill('https://a.example'))).toMatchObject({ problem: 'holds more than 200 URLs' })
    expect(read([1])).toMatchObject({ problem: 'is not text or a list of text' })
  })

  it('leave paths, queries and users out of what stands in the clear', () => {
    const extracted = url.extract([{ argument: 'a', value: 'https://secret:secret@example.com/secret?secret' }], {})
    expect(extracted).toMatchObject({ ok: true })
    expect(extracted.ok && JSON.stringify(extracted.open)).toBe(
      '{"host":"example.com","port":443,"scheme":"https","userinfo":true}',
    )
  })
})

describe('a URL in a policy', () => {
  it('can be held to hosts, paths and networks, and needs "has" where its argument is optional', () => {
    const tools = demoVocabulary.tools.concat({
      name: 'web-fetch',
      service: 'web',
      inputSchema: {
        type: 'object',
        properties: { address: { type: 'string' }, referer: { type: 'string' } },
        required: ['address'],
      },
    })
    const policies = (condition: string) => [
      {
        file: 'facts.yaml',
        text: 'facts: { web-fetch: { link: { extract: url, from: address }, origin: { extract: url, from: referer } } }',
      },
      {
        file: 'p.cedar',
        text: `permit (principal, action == Action::"call", resource == Tool::"demo/web-fetch") when { ${condition} };`,
      },
    ]
    const engine = createCedarPolicyEngine()
    const decided = (condition: string, address: string): string => {
      expect(engine.install(policies(condition), { ...demoVocabulary, tools }).problems).toEqual([])
      const resource = { id: 'demo/web-fetch', service: 'web' }
      return engine.decide(policyRequest({ resource, arguments: { address } })).basis
    }
    const api = 'context.facts.link.host == "api.example.com" && context.facts.link.path like "/v1/*"'
    expect(decided(api, 'https://api.example.com/v1/x')).toBe('permit')
    expect(decided(api, 'https://api.example.com/v1/../v2')).toBe('error')
    expect(decided(api, 'https://api.example.com/v2')).toBe('default-deny')
    const outside = '!(context.facts.link has address && context.facts.link.address.isInRange(ip("10.0.0.0/8")))'
    expect(decided(outside, 'http://[::ffff:10.1.2.3]/')).toBe('default-deny')
    expect(decided(outside, 'http://11.1.2.3/')).toBe('permit')
    expect(decided('!(context.facts has origin)', 'http://a.example/')).toBe('permit')
    const unguarded = engine.check(policies('context.facts.origin.port == 80'), { ...demoVocabulary, tools })
    expect(unguarded.ok).toBe(false)
  })
})
