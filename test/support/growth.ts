/**
 * How many times as long `work` takes for eight times the size: about 8 where its time is linear, 64 where it is
 * quadratic. Both sizes are done as often as the small one needs for a time that can be measured, and the quickest of
 * several counts, because whatever else the machine does meanwhile only adds.
 */
export function growth(size: number, work: (size: number) => void): number {
  // The first rounds are slow for reasons of their own: code that runs often is compiled while it runs.
  for (const began = performance.now(); performance.now() - began < 10;) work(size)
  let rounds = 1
  while (timeOf(rounds, size, work) < measurableMs) rounds *= 2
  const quickest = (of: number): number => Math.min(...Array.from({ length: 5 }, () => timeOf(rounds, of, work)))
  let least = Infinity
  // A machine that is busy at the wrong moment makes one look bad, and no work that is quadratic look good.
  for (let look = 0; look < 25 && least >= linearGrowth; look += 1)
    least = Math.min(least, quickest(size * 8) / quickest(size))
  return least
}

/** Between linear and quadratic, with room for what a cache or a collector adds. */
export const linearGrowth = 32

/** So short that eight times as long is mostly had in one turn on a processor, which on a busy machine is a few milliseconds. */
const measurableMs = 0.25

function timeOf(rounds: number, size: number, work: (size: number) => void): number {
  const began = performance.now()
  for (let round = 0; round < rounds; round += 1) work(size)
  return performance.now() - began
}
