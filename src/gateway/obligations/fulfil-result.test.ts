import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import type { Duties } from '../../policy/index.ts'
import { fulfilResult } from './fulfil-result.ts'
import { growth, linearGrowth } from '../../../test/support/growth.ts'

const duties = (some: Partial<Duties>): Duties => ({
  redact: [],
  limitRows: null,
  notify: [],
  profile: null,
  record: null,
  ...some,
})
const text = (value: string): JsonObject => ({ type: 'text', text: value })
const email = 'ann@example.com'

/** A result as a hosted function gives it: the value, and its text. */
const hosted = (value: JsonObject): JsonObject => ({ content: [text(JSON.stringify(value))], structuredContent: value })

const redacted = (result: JsonObject, fits: (value: JsonValue) => boolean = () => true): JsonObject =>
  fulfilResult('call', result, duties({ redact: ['email'] }), fits).result

const limited = (result: JsonObject, rows: number) =>
  fulfilResult('call', result, duties({ limitRows: rows }), () => true)

describe('redacting', () => {
  it('takes the field out of the structured content and of the text that repeats it', () => {
    expect(redacted(hosted({ leads: [{ name: 'Ann', email }], total: 1 }))).toEqual(
      hosted({ leads: [{ name: 'Ann', email: '[redacted]' }], total: 1 }),
    )
  })

  it('leaves a result without the field as it is', () => {
    const result = hosted({ leads: [{ name: 'Ann', note: 'Please send an email, she asked.' }], total: 1 })
    expect(redacted(result)).toEqual(result)
  })

  it.each<[string, JsonObject]>([
    ['in another case', { eMail: email }],
    ['with a hyphen', { 'E-Mail': email }],
    ['in full width', { ｅｍａｉｌ: email }],
    ['with an accent', { émail: email }],
    ['with an invisible character', { 'em\u200bail': email }],
    ['with a soft hyphen', { 'e\u00admail': email }],
    ['with a ligature or a style of letters', { 𝐞𝐦𝐚𝐢𝐥: email }],
    ['with a letter of another script', { еmail: email }],
    ['with several of them', { emаіl: email }],
    ['as one word of several', { work_email: email, emailAddress: email, 'E-Mail 2': email, contactEmails: [email] }],
    ['inside of a word', { useremail: email, EMAILADDRESS: email }],
    ['deep inside', { a: [{ b: { c: [[{ email }]] } }] }],
    ['as an object', { email: { address: email, of: ['ann@example.org'] } }],
    ['in a string that is JSON', { payload: JSON.stringify({ email }) }],
    ['in JSON in JSON', { payload: JSON.stringify({ payload: JSON.stringify([{ email }]) }) }],
    ['in a string that is a JSON string', { payload: JSON.stringify(JSON.stringify({ email })) }],
    ['under another name as well', { email, contact: email }],
    ['in prose as well', { email, note: `Write to ${email.toUpperCase()}.` }],
    ['split by invisible characters in prose', { email, note: `Write to ann@\u200bexample.com` }],
    ['as the name of a member as well', { email, [email]: { name: 'Ann' } }],
    ['in another row, before the field', { first: { contact: email }, rows: [{ email }] }],
    ['as keys of an object', { email: { [email]: true }, contact: email }],
    ['in prose that names it', { note: `email: ${email}` }],
    ['as an assignment', { note: `?id=1&email=${email}&x` }],
    ['in a table of commas', { csv: `name,email\nAnn,${email}` }],
    ['in a table of commas and blanks', { csv: `name, email\nAnn, ${email}` }],
    ['in a table of tabs', { tsv: `name\temail\nAnn\t${email}` }],
    ['in a table of blanks', { table: `name   email\nAnn    ${email}` }],
    ['in a table of bars', { table: `| name | email |\n|---|---|\n| Ann | ${email} |` }],
    ['as a heading in markup', { html: `<tr><th>Email</th></tr><tr><td>${email}</td></tr>` }],
    ['in JSON that is cut off', { raw: JSON.stringify(JSON.stringify({ email })).slice(1, -3) }],
    ['in markup', { xml: `<lead><email>${email}</email></lead>` }],
    ['in _meta', {}],
  ])('takes it out %s', (_, value) => {
    const left = redacted({ ...hosted({ total: 1, ...value }), _meta: { email } })
    expect(JSON.stringify(left).toLowerCase().replaceAll('\u200b', '')).not.toContain(email)
    expect(left.structuredContent).toMatchObject({ total: 1 })
  })

  it.each<[string, JsonObject]>([
    ['a list of columns', { columns: ['name', 'email'], rows: [['Ann', email]] }],
    ['a list of columns with longer names', { columns: ['Name', 'Work email'], rows: [['Ann', email]] }],
    ['a description of columns', { columns: [{ name: 'email_address' }], rows: [[email]] }],
    ['a pair of field and value', { fields: [{ field: 'Email', value: email }] }],
    [
      'columns in JSON in a string',
      {
        table: JSON.stringify([
          ['name', 'email'],
          ['Ann', email],
        ]),
      },
    ],
  ])('refuses to give out %s, because what belongs to the field cannot be told', (_, value) => {
    expect(() => redacted(hosted(value))).toThrow('the name of a field to redact stands in it as a value')
  })

  it('withholds prose, pictures and files, and keeps their places', () => {
    const { content } = redacted({
      content: [
        text(`Ann's address is ${email}`),
        text(JSON.stringify({ email, id: 7 })),
        text(JSON.stringify(`Ann's address is ${email}`)),
        { type: 'image', data: 'aGk=', mimeType: 'image/png' },
        { type: 'resource', resource: { uri: 'x:y', text: email } },
        text('20251234567'),
        text('true'),
      ],
    })
    const prose = text('[withheld: a policy redacts this result, and this is prose]')
    const opaque = text('[withheld: a policy lets only text through here]')
    expect(content).toEqual([
      prose,
      text('{"email":"[redacted]","id":7}'),
      prose,
      opaque,
      { type: 'resource', resource: { uri: 'x:y', text: prose['text'] } },
      prose,
      text('true'),
    ])
    expect(JSON.stringify(redacted({ content: [text(email)], structuredContent: { result: email } }))).not.toContain(
      '@',
    )
  })

  it('does the same to resources, prompts and answers of operations', () => {
    const all = duties({ redact: ['email'] })
    const json = JSON.stringify({ email })
    const done = (kind: 'read' | 'prompt' | 'manage', result: JsonObject): string =>
      JSON.stringify(fulfilResult(kind, result, all, () => true).result)
    expect(
      done('read', {
        contents: [
          { uri: 'x:y', text: json },
          { uri: 'x:z', blob: 'aGk=' },
        ],
      }),
    ).not.toMatch(/ann@|aGk=/)
    expect(done('prompt', { messages: [{ role: 'user', content: text(json) }] })).not.toContain('ann@')
    expect(done('manage', { agents: [{ name: 'a', email }] })).toBe('{"agents":[{"name":"a","email":"[redacted]"}]}')
  })

  it('finds what fits the output schema: a mark, nothing, null; else it gives out nothing', () => {
    const value = { id: 1, email: 4_951_234 }
    const asked = (fits: (value: JsonValue) => boolean) => redacted(hosted(value), fits)['structuredContent']
    const type = (member: JsonValue) => (member as JsonObject)['email']
    expect(asked(() => true)).toEqual({ id: 1, email: '[redacted]' })
    expect(asked((left) => typeof type(left) !== 'string')).toEqual({ id: 1 })
    expect(asked((left) => type(left) === null)).toEqual({ id: 1, email: null })
    expect(() => asked((left) => typeof type(left) === 'number')).toThrow('breaks the output schema')
  })

  it('leaves what MCP itself calls content, text, type and result in its place', () => {
    const result = hosted({ lead: 'Ann', textile: 1 })
    const left = fulfilResult('call', result, duties({ redact: ['content', 'type', 'result', 'meta'] }), () => true)
    expect(left.result).toEqual(result)
  })

  it('is not slowed down by values made to be alike', () => {
    const redact = (size: number): void => {
      const rows = Array.from({ length: size }, (_, at) => ({ email: `${'a'.repeat(100)}${at}` }))
      redacted(
        hosted({
          rows,
          note: 'a'
            .repeat(31)
            .concat('b')
            .repeat(5 * size),
        }),
      )
    }
    expect(growth(250, redact)).toBeLessThan(linearGrowth)
  })

  it('gives up on what is nested too deep, in brackets or in strings', () => {
    let deep: JsonValue = { email }
    for (let level = 0; level < 300; level += 1) deep = [deep]
    expect(() => redacted(hosted({ deep }))).toThrow('nested too deep')
    let wrapped = JSON.stringify({ email })
    for (let level = 0; level < 6; level += 1) wrapped = JSON.stringify({ wrapped })
    expect(() => redacted(hosted({ wrapped }))).toThrow('too many times')
  })
})

describe('limiting rows', () => {
  const rows = (count: number, from = 0): JsonValue[] => Array.from({ length: count }, (_, at) => ({ id: from + at }))

  it('keeps the first rows of the structured content, and of the text that repeats it', () => {
    const { result, rows: counted } = limited(hosted({ leads: rows(10), total: 10 }), 3)
    expect(result).toEqual(hosted({ leads: rows(3), total: 10 }))
    expect(counted).toEqual({ kept: 3, left: 7 })
  })

  it('keeps a wrapped list and its text alike', () => {
    const list = { content: [text(JSON.stringify(rows(5)))], structuredContent: { result: rows(5) } }
    expect(limited(list, 2).result).toEqual({
      content: [text(JSON.stringify(rows(2)))],
      structuredContent: { result: rows(2) },
    })
  })

  it('leaves a result with fewer rows as it is, lists of plain values in rows included', () => {
    const result = hosted({
      leads: [
        { id: 1, tags: ['a', 'b'] },
        { id: 2, tags: ['c'] },
      ],
      note: 'two\nlines',
    })
    expect(limited(result, 3).result).toEqual(result)
  })

  it.each<[string, JsonObject]>([
    ['in one list', hosted({ leads: rows(20) })],
    ['in several lists', hosted({ first: rows(5), second: rows(5, 5), third: { more: rows(5, 10) } })],
    ['in lists in rows', hosted({ pages: [{ leads: rows(5) }, { leads: rows(5, 5) }] })],
    ['in lists in lists', hosted({ pages: [rows(5), rows(5, 5), [[rows(5, 10)]]] })],
    ['in an object that is a table', hosted({ byId: Object.fromEntries(rows(20).map((row, at) => [`k${at}`, row])) })],
    ['in objects in rows', hosted({ list: [Object.fromEntries(rows(20).map((row, at) => [`k${at}`, row]))] })],
    [
      'in strings that are JSON',
      hosted({ a: JSON.stringify(rows(5)), b: JSON.stringify({ c: JSON.stringify(rows(5, 5)) }) }),
    ],
    ['in several texts', { content: [text(JSON.stringify(rows(5))), text(JSON.stringify(rows(5, 5)))] }],
    [
      'in a text beside others',
      { ...hosted({ leads: rows(3) }), content: [text(JSON.stringify({ leads: rows(9, 50) }))] },
    ],
    ['in members that MCP does not know', { content: [], leads: rows(20) }],
    [
      'in an embedded file',
      { content: [{ type: 'resource', resource: { uri: 'x:y', text: JSON.stringify(rows(9)) } }] },
    ],
    ['in bytes', { content: [{ type: 'resource', resource: { uri: 'x:y', blob: btoa(JSON.stringify(rows(9))) } }] }],
    ['in _meta', { content: [], structuredContent: { leads: rows(3) }, _meta: { leads: rows(9, 50) } }],
  ])('counts rows %s, all on one account', (_, result) => {
    const left = JSON.stringify(limited(result, 3).result)
    expect(new Set(left.match(/id\W+\d+/g)?.map((row) => row.replace(/\D/g, ''))).size).toBeLessThanOrEqual(3)
  })

  it('cuts prose to as many lines, and lists of plain values to as many elements', () => {
    const lines = (count: number): string => Array.from({ length: count }, (_, at) => `line ${at}`).join('\n')
    const given = {
      content: [text(lines(2)), text(lines(5))],
      structuredContent: { csv: lines(9), ids: [1, 2, 3, 4, 5] },
    }
    expect(limited(given, 3).result).toEqual({
      content: [text(lines(2)), text('line 0')],
      structuredContent: { csv: lines(3), ids: [1, 2, 3] },
    })
    expect(limited(hosted({ lead: [{ ids: [1, 2, 3, 4] }] }), 2).result).toEqual(hosted({ lead: [{ ids: [1, 2] }] }))
  })
})
