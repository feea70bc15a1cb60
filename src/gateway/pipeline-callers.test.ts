import { describe, expect, it } from 'vitest'
import { definition, events, harness, request } from '../../test/support/pipeline-harness.ts'

describe('a caller', () => {
  it('whose credential was revoked since the door gets nothing, and nothing is run or recorded', async () => {
    const { gateway, events: order } = harness({ revoked: true })
    expect(await gateway.perform(request(), events)).toMatchObject({
      status: 'unavailable',
      code: 'credential_invalid',
    })
    expect(order).toEqual([])
    expect(gateway.list(request().caller, 'demo', 'tool')).toEqual([])
  })
})

describe('lists', () => {
  it('leave out what policy hides', () => {
    const caller = request().caller
    expect(harness({ visible: true }).gateway.list(caller, 'demo', 'tool')).toEqual([definition])
    expect(harness({ visible: false }).gateway.list(caller, 'demo', 'tool')).toEqual([])
  })

  it('follow a change of the catalogue at once', () => {
    const { gateway, catalogue } = harness({})
    const caller = request().caller
    gateway.list(caller, 'demo', 'tool')
    catalogue.replaceService('demo', 'notes', [])
    expect(gateway.list(caller, 'demo', 'tool')).toEqual([])
  })

  it('close the namespace to agents of another one', () => {
    const { gateway } = harness({})
    const { caller } = request()
    expect(gateway.mayEnter(caller, 'demo')).toBe(true)
    expect(gateway.mayEnter({ ...caller, principal: { ...caller.principal, namespace: 'other' } }, 'demo')).toBe(false)
    expect(gateway.mayEnter(caller, 'nowhere')).toBe(false)
  })
})

describe('a caller that is disabled while its call', () => {
  it('runs has it cut off, and gets nothing of its output', async () => {
    const here = harness({
      async act(_invocation, { signal }) {
        const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
        here.withdraw()
        await aborted
        return { status: 'ok', result: { content: [{ type: 'text', text: 'the output' }] } }
      },
    })
    const answer = await here.gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'unavailable', code: 'credential_invalid' })
    expect(JSON.stringify(answer)).not.toContain('the output')
    expect(here.drafts.map((draft) => draft.kind)).toEqual(['decision', 'outcome'])
  })

  it('is being recorded has nothing run, and an outcome that says so', async () => {
    const here = harness({ effect: 'allow' })
    const answer = here.gateway.perform(request(), events)
    here.withdraw()
    expect(await answer).toMatchObject({ status: 'unavailable', code: 'credential_invalid' })
    expect(here.events).not.toContain('act')
    expect(here.drafts[1]).toMatchObject({ outcome: { detail: 'nothing was run: credential_invalid' } })
  })

  it('manages is told what was done: it may have been to revoke its own key', async () => {
    const here = harness({ onManage: () => here.withdraw() })
    const effect = { kind: 'manage', operation: 'key.revoke', arguments: {} } as const
    expect(await here.gateway.perform(request(effect), events)).toMatchObject({ status: 'ok' })
    expect(await here.gateway.perform(request(effect), events)).toMatchObject({ code: 'credential_invalid' })
  })
})

it('lets go of the signal of a call that has ended', async () => {
  const here = harness({})
  const aborter = new AbortController()
  const added: string[] = []
  const { signal } = aborter
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...given: Parameters<typeof add>) => (added.push('added'), add(...given))
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (added.push('removed'), remove(...given))
  await here.gateway.perform(request(), { ...events, signal })
  expect(added).toEqual(['added', 'removed'])
})
