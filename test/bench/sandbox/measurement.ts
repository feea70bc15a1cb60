/** How long one figure is measured. */
export interface Measurement {
  readonly callers: number
  readonly seconds: number
  readonly leastCalls: number
  readonly mostCalls: number
  /** Milliseconds that each caller waits between an answer and the next call. */
  readonly pauseMs?: number
}

/** One round of one case: the time of each call, of all, and the processor time of all that took part. */
export interface Measured {
  readonly timesMs: readonly number[]
  readonly elapsedMs: number
  readonly cpuMs: number
  /** Of a candidate: whose processor time that was. */
  readonly cpuParts?: CpuParts
}

/** Processor time in milliseconds, by who used it. */
export interface CpuParts {
  readonly server: number
  readonly executor: number
  readonly jails: number
}

/** What the rounds of one case come to. */
export interface Figures {
  readonly calls: number
  /** Median of the rounds' medians. */
  readonly p50_ms: number
  /** Lowest and highest of the rounds' medians: how much the machine wavers. */
  readonly p50_spread_ms: readonly [number, number]
  /** Over the calls of all rounds together. */
  readonly p99_ms: number
  /** Medians of the rounds. */
  readonly per_second: number
  readonly cpu_ms: number
  /** The same by who used it, for each call; means over all rounds. `null` for a raw command. */
  readonly cpu_parts_ms: CpuParts | null
}

export function figuresOf(rounds: readonly Measured[]): Figures {
  const medians = rounds.map(({ timesMs }) => quantile(timesMs, 0.5))
  const all = rounds.flatMap(({ timesMs }) => timesMs)
  return {
    calls: all.length,
    p50_ms: round(quantile(medians, 0.5)),
    p50_spread_ms: [round(Math.min(...medians)), round(Math.max(...medians))],
    p99_ms: round(quantile(all, 0.99)),
    per_second: round(
      quantile(
        rounds.map(({ timesMs, elapsedMs }) => (timesMs.length / elapsedMs) * 1000),
        0.5,
      ),
    ),
    cpu_parts_ms: partsOf(rounds, all.length),
    cpu_ms: round(
      quantile(
        rounds.map(({ timesMs, cpuMs }) => cpuMs / timesMs.length),
        0.5,
      ),
    ),
  }
}

function partsOf(rounds: readonly Measured[], calls: number): CpuParts | null {
  const parts = rounds.flatMap(({ cpuParts }) => cpuParts ?? [])
  if (parts.length === 0) return null
  const mean = (part: keyof CpuParts): number => round(parts.reduce((sum, each) => sum + each[part], 0) / calls)
  return { server: mean('server'), executor: mean('executor'), jails: mean('jails') }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** Two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100
}
