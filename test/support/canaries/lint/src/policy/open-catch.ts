declare function evaluate(request: string): boolean
declare function evaluateLater(request: string): Promise<boolean>
declare function report(error: unknown): void

export function goesOn(request: string): boolean {
  try {
    return evaluate(request)
  } catch (error) { // expect: mcpworks(catch-fails-closed)
    report(error)
  }
  return true
}

export function allows(request: string): { status: string } {
  try {
    return { status: evaluate(request) ? 'permitted' : 'denied' }
  } catch { // expect: mcpworks(catch-fails-closed)
    return { status: 'permitted' }
  }
}

export function problemOf(request: string): boolean | null {
  try {
    return evaluate(request)
  } catch { // expect: mcpworks(catch-fails-closed)
    return null
  }
}

export function undeclared(request: string) {
  try {
    return evaluate(request)
  } catch { // expect: mcpworks(catch-fails-closed)
    return null
  }
}

export function isRevoked(request: string): boolean {
  try {
    return evaluate(request)
  } catch { // expect: mcpworks(catch-fails-closed)
    return false
  }
}

export function refusesOnOneBranchOnly(request: string): string {
  try {
    evaluate(request)
  } catch (error) { // expect: mcpworks(catch-fails-closed)
    if (error instanceof TypeError) throw error
  }
  return 'permit'
}

export function triesTheNextOne(requests: readonly string[]): void {
  for (const request of requests) {
    try {
      evaluate(request)
    } catch (error) { // expect: mcpworks(catch-fails-closed)
      if (error instanceof TypeError) continue
      throw error
    }
  }
}

export async function goesOnLater(request: string): Promise<boolean> {
  return await evaluateLater(request).catch(() => true) // expect: mcpworks(catch-fails-closed)
}

export async function secondHandler(request: string): Promise<boolean> {
  return await evaluateLater(request).then((answer) => answer, () => true) // expect: mcpworks(catch-fails-closed)
}
