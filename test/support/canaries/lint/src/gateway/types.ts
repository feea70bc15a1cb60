declare function record(): Promise<void>

export function answer(text: string): unknown {
  record() // expect: typescript(no-floating-promises)
  const value: any = 1 // expect: typescript(no-explicit-any)
  const parsed: number[] = JSON.parse(text) // expect: typescript(no-unsafe-assignment)
  if (text == String(value)) return parsed // expect: eslint(eqeqeq)
  const kind = text as 'tool' | 'prompt'
  switch (kind) { // expect: typescript(switch-exhaustiveness-check)
    case 'tool':
      return parsed
  }
}
