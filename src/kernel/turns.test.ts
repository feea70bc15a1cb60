import { describe, expect, it } from 'vitest'
import { createTurns } from './turns.ts'

describe('turns', () => {
  it('let work of one key wait for that before it, also where it fails, and no other', async () => {
    const turns = createTurns()
    const gate = Promise.withResolvers<undefined>()
    const order: string[] = []
    const first = turns('a', async () => {
      await gate.promise
      order.push('a1')
      throw new Error('the first fails')
    })
    const second = turns('a', async () => void order.push('a2'))
    await turns('b', async () => void order.push('b'))
    gate.resolve(undefined)
    await expect(first).rejects.toThrow('the first fails')
    await second
    expect(order).toEqual(['b', 'a1', 'a2'])
  })
})
