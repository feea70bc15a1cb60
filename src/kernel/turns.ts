/** Runs work that has the same key one after the other, in the order in which it came; other keys wait for nothing. */
export type Turns = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>

/** Makes a place where work takes turns. A failure of one is no failure of the next. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const before = last.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    last.set(key, mine)
    const leave = (): void => {
      if (last.get(key) === mine) last.delete(key)
    }
    mine.then(leave, leave)
    return mine
  }
}
