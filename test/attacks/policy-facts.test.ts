import { posix } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { createCedarPolicyEngine, type PolicyVocabulary } from '../../src/policy/index.ts'
import { policyRequest } from '../support/policy-request.ts'

/**
 * I11 and the threat category "authorization" (design/threats.md): text that a rule takes for harmless and the tool
 * behind it does not. Each rule is written twice: over the text itself, which is the control and lets the attack
 * through, and over the fact that is derived from it.
 */
const vocabulary: PolicyVocabulary = {
  namespace: 'demo',
  tools: [
    {
      name: 'leads-top',
      service: 'leads',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  ],
}

/** How a call with this text is decided where only this condition permits it. */
function decided(extractor: string, condition: string, text: string): string {
  const engine = createCedarPolicyEngine()
  const check = engine.install(
    [
      { file: 'facts.yaml', text: `facts: { leads-top: { what: { extract: ${extractor}, from: text } } }` },
      {
        file: 'p.cedar',
        text: `permit (principal, action == Action::"call", resource == Tool::"demo/leads-top") when { ${condition} };`,
      },
    ],
    vocabulary,
  )
  expect(check.problems).toEqual([])
  return engine.decide(policyRequest({ arguments: { text } })).effect
}

describe('SQL that does more than it seems', () => {
  const overText = 'context.args.text like "SELECT*" && !(context.args.text like "*DELETE*")'
  const overFact =
    'context.facts.what.read_only && context.facts.what.statements == 1 && ["orders"].containsAll(context.facts.what.tables)'
  const sqlite = 'sql, dialect: sqlite'

  /** What is left of the orders, and what was read, when the database runs the text. */
  function run(text: string): { orders: number; read: string } {
    const database = new DatabaseSync(':memory:')
    database.exec(
      "CREATE TABLE orders (id); INSERT INTO orders VALUES (1), (2); CREATE TABLE secrets (k); INSERT INTO secrets VALUES ('canary')",
    )
    const read = JSON.stringify(database.prepare(text).all())
    database.exec(text)
    return { orders: Number(database.prepare('SELECT count(*) AS n FROM orders').get()?.n), read }
  }

  it.each([
    'SELECT 1; delete FROM orders',
    'SELECT 1; DROP TABLE orders; CREATE TABLE orders (id)',
    'SELECT 1; /* */ UPDATE orders SET id = 0; delete/**/FROM orders',
  ])('is refused where it writes: %s', (text) => {
    expect(decided(sqlite, overFact, text)).toBe('deny')
    expect(decided(sqlite, overText, text)).toBe('allow')
    expect(run(text).orders).toBe(0)
  })

  it.each([
    'SELECT id FROM orders UNION SELECT k FROM secrets',
    'SELECT * FROM orders, "secrets"',
    'SELECT * FROM orders window, secrets',
    'SELECT (SELECT k FROM main.[secrets]) FROM orders',
  ])('is refused where it reads another table: %s', (text) => {
    expect(decided(sqlite, overFact, text)).toBe('deny')
    expect(decided(sqlite, overText, text)).toBe('allow')
    expect(run(text).read).toContain('canary')
  })

  it('is allowed where it is what it seems: the twin', () => {
    const text = "SELECT id, 'DROP TABLE; delete' FROM orders WHERE id IN (SELECT max(id) FROM orders) -- delete"
    expect(decided(sqlite, overFact, text)).toBe('allow')
    expect(run(text).orders).toBe(2)
  })
})

describe('a URL that leads elsewhere', () => {
  const overText = 'context.args.text like "https://api.example.com*"'
  const overFact = 'context.facts.what.host == "api.example.com" && context.facts.what.scheme == "https"'

  it.each([
    ['https://api.example.com@evil.example/', 'evil.example'],
    ['https://api.example.com.evil.example/', 'api.example.com.evil.example'],
    ['https://api.example.com:x@evil.example/', 'evil.example'],
    ['https://api.example.com\\.evil.example/', 'api.example.com'],
    ['https://api.example.com\t.evil.example/', 'api.example.com.evil.example'],
  ])('is refused: %s', (text, host) => {
    expect(decided('url', overFact, text)).toBe('deny')
    expect(decided('url', overText, text)).toBe('allow')
    expect(new URL(text).hostname).toBe(host)
  })

  it('is allowed where it leads where it says: the twin', () => {
    expect(decided('url', overFact, 'https://API.example.com:443/v1/leads?next=%40')).toBe('allow')
  })
})

describe('a path that leads elsewhere', () => {
  const overText = 'context.args.text like "/srv/data/*"'
  const overFact = 'context.facts.what.ancestors.contains("/srv/data")'

  it.each(['/srv/data/../../etc/passwd', '/srv/data/a/.././../../etc/passwd', '/srv/data/..//..//etc/passwd'])(
    'is refused: %s',
    (text) => {
      expect(decided('path', overFact, text)).toBe('deny')
      expect(decided('path', overText, text)).toBe('allow')
      expect(posix.resolve(text)).toBe('/etc/passwd')
    },
  )

  it('is allowed where it stays: the twin', () => {
    expect(decided('path', overFact, '/srv/data/./2026//report.pdf')).toBe('allow')
    expect(decided('path', overFact, '/srv/database/x')).toBe('deny')
  })
})

describe('mail that goes elsewhere', () => {
  const overText = 'context.args.text like "*@example.com"'
  const overFact = '["example.com"].containsAll(context.facts.what.domains)'

  it.each([
    'eve@evil.example, ann@example.com',
    'eve@evil.example,ann@example.com',
    '<eve@evil.example>, ann@example.com',
    'eve@evil.example\r\nX: ann@example.com',
    '"eve@evil.example x"@example.com',
    'eve%evil.example@example.com',
    'staff: eve@evil.example;, ann@example.com',
    'ann@evil.example (@example.com',
  ])('is refused: %j', (text) => {
    expect(decided('email-recipients', overFact, text)).toBe('deny')
    expect(decided('email-recipients', overText, text)).toBe('allow')
  })

  it('is allowed where it stays: the twin', () => {
    expect(decided('email-recipients', overFact, '"Other, Ann" <Ann@EXAMPLE.com>, bob@example.com')).toBe('allow')
  })
})
