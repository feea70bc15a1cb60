declare function evaluate(request: string): boolean
declare function evaluateLater(request: string): Promise<boolean>
declare function deny(rule: string): { status: 'denied' }
declare function report(error: unknown): void

export function rethrows(request: string): boolean {
  try {
    return evaluate(request)
  } catch (error) {
    report(error)
    throw new TypeError('the policies cannot be read', { cause: error })
  }
}

export function answersWithARefusal(request: string): { status: string } {
  try {
    return { status: evaluate(request) ? 'permitted' : 'denied' }
  } catch {
    return { status: 'denied' }
  }
}

export function callsARefusal(request: string): { status: string } {
  try {
    return { status: evaluate(request) ? 'permitted' : 'denied' }
  } catch (error) {
    if (error instanceof TypeError) throw error
    return deny('unreadable')
  }
}

export function isValid(request: string): boolean {
  try {
    return evaluate(request)
  } catch {
    return false
  }
}

export async function refusesLater(request: string): Promise<boolean> {
  return await evaluateLater(request).catch(() => false)
}

export function triesEveryPart(request: string): { status: string } {
  try {
    return { status: evaluate(request) ? 'permitted' : 'denied' }
  } catch {
    for (const part of request) {
      if (part === 'x') break
    }
    return { status: 'denied' }
  }
}

export function parsed(request: string): { answer: boolean } | null {
  try {
    return { answer: evaluate(request) }
  } catch {
    return null
  }
}
