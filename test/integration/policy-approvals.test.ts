import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { decideAsOperator, noticeOf } from '../support/approvals.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

const schema: JsonObject = {
  type: 'object',
  properties: { order: { type: 'string' }, amount: { type: 'integer' }, password: { type: 'string' } },
  required: ['order', 'amount'],
}

const rules = `
rules:
  - id: helpers-refund
    allow: group helpers
    tools: refund
  - id: large-refunds
    deny: anyone
    tools: refund
    when: args.amount > 100
    remedy: approval
    reason: Refunds above 100 need a person.
  - id: never
    deny: anyone
    tools: refund
    when: args.amount > 100000
    reason: Nobody refunds that much.
`

const done: string[] = []
let test: TestApp
let key: string
beforeAll(async () => {
  const refund = toolEntry(
    'refund',
    ({ call }) => {
      done.push(call)
      return textOutcome('refunded')
    },
    'shop',
    schema,
  )
  test = await startTestApp({ entries: [refund] })
  await test.apply('shop', {
    'namespace.yaml': 'namespace: shop\nagents:\n  - name: helper\n    groups: [helpers]\n',
    'policies/team.rules.yaml': rules,
  })
  key = await test.key('shop', 'helper')
})
afterAll(() => test.close())

const refund = (args: JsonObject) => test.call(key, 'shop', 'refund', args)
const approve = (id: string) => decideAsOperator(test, 'approval.approve', { namespace: 'shop', approval: id })
const show = (id: string) => decideAsOperator(test, 'approval.show', { namespace: 'shop', approval: id })

async function asked(args: JsonObject): Promise<string> {
  const notice = noticeOf((await refund(args)).message)
  if (notice?.status !== 'pending') throw new Error(`nobody was asked: ${JSON.stringify(notice)}`)
  return notice.id
}

/** Records of the namespace's log of a kind, as they are stored. */
async function records(kind: string): Promise<JsonObject[]> {
  const { records: found } = await test.manage('shop', 'audit.tail', { namespace: 'shop', limit: 1000, kind })
  return (found as JsonObject[]).map((one) => (isJsonObject(one.record) ? one.record : one))
}

describe('a call that policy lets through only with approval', () => {
  it('waits for a person, is made once when it was approved, and then waits anew', async () => {
    const args = { order: 'a1', amount: 500 }
    const first = await refund(args)
    expect(toolResult(first.message).text).toContain('Refunds above 100 need a person.')
    const id = noticeOf(first.message)?.id ?? ''
    expect(noticeOf(first.message)).toMatchObject({ status: 'pending' })
    // The same call again is the same request, whatever the order of its members.
    expect(noticeOf((await refund({ amount: 500, order: 'a1' })).message)).toMatchObject({ status: 'pending', id })
    expect(done).toEqual([])

    expect(await approve(id)).toMatchObject({ id, status: 'approved', decidedBy: 'operator' })
    const made = toolResult((await refund(args)).message)
    expect([made.text, made.isError, done]).toEqual(['refunded', false, [made.call]])

    const again = noticeOf((await refund(args)).message)
    expect(again).toMatchObject({ status: 'pending' })
    expect(again?.id).not.toBe(id)
    expect(done).toHaveLength(1)
    expect(await show(id)).toMatchObject({ status: 'spent', spentByCall: made.call, arguments: null })
  })

  it('leaves records of the request, of who approved it, and of the call that it was spent on', async () => {
    const args = { order: 'a2', amount: 500 }
    const id = await asked(args)
    await approve(id)
    const { call } = toolResult((await refund(args)).message)
    const events = (await records('approval')).map((record) => record.event as JsonObject)
    expect(events.filter(({ approval }) => approval === id)).toEqual([
      expect.objectContaining({ type: 'requested', principal: 'shop/helper', tool: 'refund' }),
      expect.objectContaining({ type: 'approved', principal: 'operator', requester: 'shop/helper' }),
    ])
    const decisions = await records('decision')
    const of = (name: string) => decisions.find((record) => record.call === name)
    expect(of(call)?.pre).toMatchObject({ approval: { id, by: 'operator', at: expect.any(String) } })
    expect(of(call)?.decision).toMatchObject({ effect: 'allow', basis: 'permit' })
    const request = events.find(({ approval, type }) => approval === id && type === 'approved')
    expect(of(String(request?.asked_by_call))?.pre).toMatchObject({ approval: { id, by: null, at: null } })
    const why = await test.manage('shop', 'audit.why', { namespace: 'shop', call })
    expect(JSON.stringify(why)).toContain(id)
  })

  it('shows the whole arguments but for secrets', async () => {
    const id = await asked({ order: 'a3', amount: 101, password: 'canary-password' })
    const shown = await show(id)
    expect(shown).toMatchObject({
      requester: 'shop/helper',
      rules: ['team.rules.yaml#large-refunds'],
      arguments: { order: 'a3', amount: 101, password: '[hidden: 15 characters]' },
      toolIsUnchanged: true,
    })
  })

  it('is denied for a while where a person denied it, with what the person said', async () => {
    const args = { order: 'a4', amount: 101 }
    const id = await asked(args)
    await decideAsOperator(test, 'approval.deny', { namespace: 'shop', approval: id, comment: 'Ask the customer.' })
    const notice = noticeOf((await refund(args)).message)
    expect(notice).toMatchObject({ status: 'denied', id, text: expect.stringContaining('Ask the customer.') })
    await expect(approve(id)).rejects.toThrow('was denied by operator already')
  })

  it('asks nobody where another rule denies it too, or none', async () => {
    expect(noticeOf((await refund({ order: 'a5', amount: 100_001 })).message)).toBeNull()
    expect(toolResult((await refund({ order: 'a5', amount: 100 })).message).isError).toBe(false)
  })
})
