/** Times of one case. */
export interface Measurement {
  readonly case: string
  readonly callers: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly per_second: number
  /** Processor time of this process for each, all threads together. */
  readonly cpu_ms: number
}

/** One time in milliseconds for each of what `callers` callers did side by side. */
export async function measure(
  name: string,
  callers: number,
  work: (caller: number) => Promise<number[]>,
): Promise<Measurement> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const times = (await Promise.all(Array.from({ length: callers }, (_, caller) => work(caller)))).flat()
  const elapsedMs = performance.now() - begun
  const used = process.cpuUsage(cpu)
  return summarise(name, callers, times, elapsedMs, (used.user + used.system) / 1000)
}

/** The same for times that were taken otherwise. */
export function summarise(
  name: string,
  callers: number,
  times: readonly number[],
  elapsedMs: number,
  cpuMs: number,
): Measurement {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3))
  return {
    case: name,
    callers,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    per_second: Math.round((times.length / elapsedMs) * 1000),
    cpu_ms: Number((cpuMs / times.length).toFixed(4)),
  }
}
