import { describe, expect, test } from 'vitest'
import { Slots } from './slots.ts'

const never = new AbortController().signal

describe('places for executions', () => {
  test('are given in the order of asking, and never more than there are', async () => {
    const slots = new Slots(1, 10)
    const order: string[] = []
    expect(await slots.take(never)).toBe('taken')
    const second = slots.take(never).then((answer) => order.push(`second ${answer}`))
    const third = slots.take(never).then((answer) => order.push(`third ${answer}`))
    slots.give()
    await second
    expect(order).toEqual(['second taken'])
    slots.give()
    await third
    expect(order).toEqual(['second taken', 'third taken'])
  })

  test('are refused at once when the queue is full', async () => {
    const slots = new Slots(1, 0)
    expect(await slots.take(never)).toBe('taken')
    expect(await slots.take(never)).toBe('full')
    slots.give()
    expect(await slots.take(never)).toBe('taken')
  })

  test('are not taken by a call that was cancelled while it waited', async () => {
    const slots = new Slots(1, 10)
    const abort = new AbortController()
    await slots.take(never)
    const waiting = slots.take(abort.signal)
    abort.abort()
    expect(await waiting).toBe('cancelled')
    expect(await slots.take(abort.signal)).toBe('cancelled')
    slots.give()
    expect(await slots.take(never)).toBe('taken')
  })
})
