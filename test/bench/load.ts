import { Pool } from 'undici'

/** What a closed-loop run measured. */
export interface LoadResult {
  readonly calls: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly per_second: number
}

/** One request to send again and again. */
export interface LoadRequest {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
}

/**
 * Keeps `callers` requests under way until `calls` were answered. Every answer must be 200 and hold `expected`:
 * a benchmark of errors measures nothing.
 */
export async function load(
  { url, headers, body }: LoadRequest,
  callers: number,
  calls: number,
  expected: string,
): Promise<LoadResult> {
  const target = new URL(url)
  const pool = new Pool(target.origin, { connections: callers, pipelining: 1 })
  const times: number[] = []
  let left = calls
  const started = performance.now()

  async function caller(): Promise<void> {
    while (left > 0) {
      left -= 1
      const before = performance.now()
      const response = await pool.request({ path: target.pathname, method: 'POST', headers, body })
      const text = await response.body.text()
      times.push(performance.now() - before)
      if (response.statusCode !== 200 || !text.includes(expected))
        throw new Error(`got ${response.statusCode}: ${text.slice(0, 500)}`)
    }
  }

  await Promise.all(Array.from({ length: callers }, caller))
  const seconds = (performance.now() - started) / 1000
  await pool.close()
  times.sort((a, b) => a - b)
  const quantile = (q: number): number => round(times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0)
  return { calls, p50_ms: quantile(0.5), p99_ms: quantile(0.99), per_second: round(calls / seconds) }
}

/** Three decimals. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
