let calls = 0 // expect: mcpworks(no-module-state)
export const seen = new Map<string, number>() // expect: mcpworks(no-module-state)
export const names: string[] = [] // expect: mcpworks(no-module-state)
export const byCode = new Map([['a', 1]])
export const kinds = ['tool', 'prompt'] as const

export class Counter {
  static shared = 0 // expect: mcpworks(no-module-state)
  static readonly limit = 3
  own = 0
}

export function count(): number {
  calls += 1
  const own = new Map<string, number>()
  return calls + own.size
}
