import { expect, it } from 'vitest'
import type { Handler } from './handler.ts'
import { createOneAtATime } from './one-at-a-time.ts'

/** A handler that writes down when it begins and ends, and ends when it is told to. */
function gated() {
  const events: string[] = []
  const gates = new Map<string, { open: () => void; fail: () => void }>()
  const handler: Handler<'function.add'> = async ({ namespace, service }) => {
    const name = `${namespace}/${service}`
    events.push(`${name} begins`)
    await new Promise<void>((resolve, reject) =>
      gates.set(name, { open: resolve, fail: () => reject(new Error('no')) }),
    )
    events.push(`${name} ends`)
    return {}
  }
  const serial = createOneAtATime()<'function.add'>(handler)
  const call = (namespace: string, service: string): Promise<unknown> =>
    serial({ namespace, service, files: [] }, undefined as never, new AbortController().signal)
  return { events, gates, call }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('begins a change of a namespace only when the one before has ended, and changes of other namespaces at once', async () => {
  const { events, gates, call } = gated()
  const first = call('demo', 'one')
  const second = call('demo', 'two')
  const other = call('other', 'one')
  await turn()
  expect(events).toEqual(['demo/one begins', 'other/one begins'])
  gates.get('demo/one')?.open()
  await first
  await turn()
  expect(events.slice(2)).toEqual(['demo/one ends', 'demo/two begins'])
  gates.get('demo/two')?.open()
  gates.get('other/one')?.open()
  await Promise.all([second, other])
})

it('goes on after a change that failed', async () => {
  const { events, gates, call } = gated()
  const first = call('demo', 'one')
  const second = call('demo', 'two')
  await turn()
  gates.get('demo/one')?.fail()
  await expect(first).rejects.toThrow('no')
  await turn()
  expect(events).toEqual(['demo/one begins', 'demo/two begins'])
  gates.get('demo/two')?.open()
  await second
})
