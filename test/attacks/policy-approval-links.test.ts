import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { decideAsOperator, noticeOf } from '../support/approvals.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { signedIn } from '../support/people.ts'
import { PersonBrowser } from '../support/person-browser.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

// I10, and A4: a link that decides is a credential. It is for one person and one request, once, and looking is not deciding.

const files = {
  'namespace.yaml': 'namespace: shop\nagents:\n  - { name: one, owner: anna }\n',
  'policies/team.cedar': `
permit (principal, action == Action::"call", resource in Namespace::"shop");
@remedy("approval") forbid (principal, action == Action::"call", resource == Tool::"shop/refund") unless { context.approved };
permit (principal == User::"bert", action == Action::"approve", resource == Tool::"shop/refund");
@id("not-by-the-owner") forbid (principal, action == Action::"approve", resource) when { context.requester.own };`,
}

let test: TestApp
let port: number
let key: string
let laterMs = 0
const done: string[] = []
beforeAll(async () => {
  const refund = toolEntry(
    'refund',
    ({ effect }) => {
      done.push(JSON.stringify(effect.kind === 'call' ? effect.arguments : {}))
      return textOutcome('refunded')
    },
    'shop',
  )
  test = await startTestApp({
    entries: [refund],
    clock: { ...systemClock, nowMs: () => Date.now() + laterMs },
    settings: { 'approvals.maxPerAgentPerHour': '1000', 'approvals.maxPendingPerAgent': '1000' },
  })
  port = Number(new URL(test.app.url).port)
  for (const user of ['anna', 'bert', 'carl']) await test.app.registry.addUser(user, user === 'anna' ? ['admin'] : [])
  await test.apply('shop', files)
  key = await test.key('shop', 'one')
})
afterAll(() => test.close())

const browser = (): PersonBrowser => new PersonBrowser(port)

async function call(order: string) {
  const { message } = await test.call(key, 'shop', 'refund', { order })
  return { ...toolResult(message), notice: noticeOf(message) }
}

async function asked(order: string): Promise<string> {
  const { notice } = await call(order)
  if (notice?.status !== 'pending') throw new Error('nobody was asked')
  return notice.id
}

/** Path of a link for a user, made by the operator. */
async function linkFor(user: string, approval: string): Promise<string> {
  const { link } = await test.manage('shop', 'approval.link', { namespace: 'shop', approval, user })
  return new URL(String(link)).pathname
}

async function decide(path: string, decision: string, from = browser()) {
  return from.post(path, { csrf: await from.csrf(path), decision, comment: '' })
}

async function statusOf(approval: string): Promise<unknown> {
  return (await decideAsOperator(test, 'approval.show', { namespace: 'shop', approval })).status
}

describe('a link to a call that waits', () => {
  it('lets the person that it is for decide, once', async () => {
    const id = await asked('by link')
    const path = await linkFor('bert', id)
    const from = browser()
    const shown = await from.get(path)
    expect(shown.status).toBe(200)
    expect(shown.text).toContain('&#34;order&#34;: &#34;by link&#34;')
    expect(shown.text).toContain('bert')
    expect(shown.text).not.toContain('<script')
    expect(shown.headers['content-security-policy']).toContain("script-src 'none'")
    expect(shown.headers['cache-control']).toBe('no-store')
    const approved = await decide(path, 'approve', from)
    expect([approved.status, approved.text]).toEqual([200, expect.stringContaining('Approved')])
    expect((await call('by link')).isError).toBe(false)
    const { approval } = {
      approval: await decideAsOperator(test, 'approval.show', { namespace: 'shop', approval: id }),
    }
    expect(approval).toMatchObject({ status: 'spent', decidedBy: 'bert' })
    expect((await from.get(path)).status).toBe(404)
    expect((await from.post(path, { csrf: 'x', decision: 'approve' })).status).toBe(403)
  })

  it('decides nothing when a program opens it, however often', async () => {
    const id = await asked('prefetched')
    const path = await linkFor('bert', id)
    for (let index = 0; index < 5; index += 1) expect((await browser().get(path)).status).toBe(200)
    await browser().get(`${path}?decision=approve`)
    expect(await statusOf(id)).toBe('pending')
    expect((await decide(path, 'approve')).status).toBe(200)
    expect(await statusOf(id)).toBe('approved')
  })

  it('takes no form of another page', async () => {
    const path = await linkFor('bert', await asked('forged form'))
    const [victim, other] = [browser(), browser()]
    const csrf = await victim.csrf(path)
    const fields = { csrf, decision: 'approve' }
    expect((await victim.post(path, fields, ['Origin', 'https://evil.example'])).status).toBe(403)
    expect((await victim.post(path, fields, ['Origin', 'null'])).status).toBe(403)
    expect((await victim.post(path, fields, [])).status).toBe(403)
    expect((await victim.post(path, { ...fields, csrf: await other.csrf(path) })).status).toBe(403)
    expect((await victim.post(path, { decision: 'approve' })).status).toBe(403)
    expect(done).not.toContain('{"order":"forged form"}')
    expect((await victim.post(path, fields)).status).toBe(200)
  })

  it('is for one request, and cannot be made or changed by who has another, or the database', async () => {
    const [first, second] = [await asked('first'), await asked('second')]
    const path = await linkFor('bert', first)
    const [id = '', signature = ''] = path.replace('/approve/', '').split('.')
    for (const forged of [
      `/approve/${id}.${'A'.repeat(43)}`,
      `/approve/${second}.${signature}`,
      `/approve/${id}`,
      `/approve/${id}.${signature}A`,
    ])
      expect([forged, (await browser().get(forged)).status]).toEqual([forged, 404])
    const database = new DatabaseSync(join(test.dataDirectory, 'state.db'))
    try {
      for (const [column, value] of [
        ['approval_id', second],
        ['user_id', 'anna'],
        ['made_by', 'bert'],
      ] as const) {
        const row = database.prepare(`SELECT ${column} AS value FROM approval_links WHERE id = ?`).get(id)
        const set = database.prepare(`UPDATE approval_links SET ${column} = ? WHERE id = ?`)
        set.run(value, id)
        expect([column, (await browser().get(path)).status]).toEqual([column, 404])
        set.run(String(row?.value), id)
      }
    } finally {
      database.close()
    }
    expect((await decide(path, 'deny')).status).toBe(200)
    expect([await statusOf(first), await statusOf(second)]).toEqual(['denied', 'pending'])
  })

  it('is not taken where somebody else is signed in', async () => {
    const id = await asked('for another')
    const path = await linkFor('bert', id)
    const from = browser()
    const carl = await signedIn(test, 'carl', [])
    const [name = '', token = ''] = carl.cookie.split('=')
    from.cookies.set(name, token)
    const refused = await from.get(path)
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('signed in as carl')])
    expect(refused.text).not.toContain('for another')
    const bert = await signedIn(test, 'bert', [])
    from.cookies.set(name, bert.cookie.split('=')[1] ?? '')
    expect((await decide(path, 'approve', from)).status).toBe(200)
  })

  it('gives nobody a right: policy is asked for whoever it is for', async () => {
    const id = await asked('no right')
    const path = await linkFor('carl', id)
    const shown = await browser().get(path)
    expect([shown.status, shown.text.includes('no right')]).toEqual([403, false])
    const from = browser()
    const csrf = await from.csrf(await linkFor('bert', id))
    expect((await from.post(path, { csrf, decision: 'approve' })).status).toBe(403)
    expect(await statusOf(id)).toBe('pending')
  })

  it('is no way round a rule about the owner: who made it has a part in deciding', async () => {
    const id = await asked('own agent')
    const anna = test.app.registry.describe(test.app.registry.findPrincipal('anna') ?? fail())
    const made = await test.app.registry.createKey('anna', { label: 'test', scopes: ['admin'], expiresAtMs: null })
    const { authentication, client } = test.app.operator
    const caller = { principal: anna, authentication: { ...authentication, credentialId: made.key.id }, client }
    const answer = await test.app.gateway.perform(
      {
        caller,
        namespace: 'shop',
        door: 'management',
        effect: {
          kind: 'manage',
          operation: 'approval.link',
          arguments: { namespace: 'shop', approval: id, user: 'bert' },
        },
        facts: { method: 'x', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
      },
      { signal: new AbortController().signal, log: () => {}, progress: () => {} },
    )
    const path = new URL(answer.status === 'ok' ? String(answer.result.link) : '').pathname
    expect((await browser().get(path)).status).toBe(403)
    expect((await decide(await linkFor('bert', id), 'approve')).status).toBe(200)
  })

  it('is over when its time is, when the person is disabled, and when somebody else has decided', async () => {
    const [first, second] = [await asked('over by disabling'), await asked('over by deciding')]
    const [one, two] = [await linkFor('bert', first), await linkFor('bert', second)]
    await test.app.registry.update('bert', { disabledAtMs: 1 })
    expect((await browser().get(one)).status).toBe(404)
    await test.app.registry.update('bert', { disabledAtMs: null })
    expect((await browser().get(one)).status).toBe(200)
    const open = browser()
    const csrf = await open.csrf(two)
    await decideAsOperator(test, 'approval.deny', { namespace: 'shop', approval: second })
    const late = await open.post(two, { csrf, decision: 'approve' })
    expect([late.status, late.text]).toEqual([409, expect.stringContaining('was denied by operator already')])
    laterMs += 86_401_000
    expect((await browser().get(one)).status).toBe(404)
    await expect(linkFor('bert', first)).rejects.toThrow('does not wait any more')
  })

  it('is in no record and no log of the server', async () => {
    const path = await linkFor('bert', await asked('kept secret'))
    await browser().get(path)
    const { records } = await test.manage('shop', 'audit.tail', { namespace: 'shop', limit: 1000, reads: true })
    const signature = path.split('.')[1] ?? ''
    expect(signature).toHaveLength(43)
    expect(JSON.stringify(records)).not.toContain(signature)
    expect(JSON.stringify(records)).toContain('link-made')
  })
})

describe('the pages for people who are signed in', () => {
  it('list what waits, show one and take a decision, for who may', async () => {
    const id = await asked('on <b>the</b> page')
    const from = browser()
    const signIn = await from.get('/approvals')
    expect([signIn.status, signIn.headers.location]).toEqual([303, '/sign-in?return=%2Fapprovals'])
    const dora = await signedIn(test, 'dora', ['approver'])
    const [name = '', token = ''] = dora.cookie.split('=')
    from.cookies.set(name, token)
    const listed = await from.get('/approvals')
    expect(listed.text).toContain(`/approvals/shop/${id}`)
    const path = `/approvals/shop/${id}`
    const shown = await from.get(path)
    expect(shown.text).toContain('on &#60;b&#62;the&#60;/b&#62; page')
    expect((await from.post(path, { csrf: 'wrong', decision: 'approve' })).status).toBe(403)
    expect((await from.post(path, { csrf: dora.csrf, decision: 'perhaps' })).status).toBe(400)
    expect(await statusOf(id)).toBe('pending')
    expect((await from.post(path, { csrf: dora.csrf, decision: 'approve' })).status).toBe(200)
    expect((await call('on <b>the</b> page')).isError).toBe(false)
  })

  it('show nothing to who may not', async () => {
    const id = await asked('not for carl')
    const from = browser()
    const carl = await signedIn(test, 'carl', [])
    const [name = '', token = ''] = carl.cookie.split('=')
    from.cookies.set(name, token)
    expect((await from.get('/approvals')).text).toContain('None that you may see')
    const shown = await from.get(`/approvals/shop/${id}`)
    expect([shown.status, shown.text.includes('not for carl')]).toEqual([403, false])
    expect((await from.post(`/approvals/shop/${id}`, { csrf: carl.csrf, decision: 'approve' })).status).toBe(403)
    expect(await statusOf(id)).toBe('pending')
  })
})

function fail(): never {
  throw new Error('there is no such user')
}
