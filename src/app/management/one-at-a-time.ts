import type { Handler } from './handler.ts'

/** Operations that put functions and policies in force. */
type Changing = 'state.apply' | 'function.add' | 'policy.activate'

/**
 * Makes operations of one namespace wait for each other: each reads what is in force, works for a while, and writes
 * it anew, so that of two at once one would be lost. Other operations, such as revoking, wait for nothing.
 */
export function createOneAtATime(): <Name extends Changing>(handler: Handler<Name>) => Handler<Name> {
  const last = new Map<string, Promise<unknown>>()
  return (handler) => (input, invocation, signal) => {
    const { namespace } = input
    const before = last.get(namespace) ?? Promise.resolve()
    const mine = before.then(() => handler(input, invocation, signal))
    const settled = mine.catch(() => undefined)
    last.set(namespace, settled)
    void settled.then(() => {
      if (last.get(namespace) === settled) last.delete(namespace)
    })
    return mine
  }
}
