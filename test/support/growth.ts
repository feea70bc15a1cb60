/**
 * How many times as long `work` takes for eight times the size: about 8 where its time is linear, 64 where it is
 * quadratic. The quickest of several counts, because whatever else the machine does meanwhile only adds.
 */
export function growth(size: number, work: (size: number) => void): number {
  const quickest = (of: number): number =>
    Math.min(
      ...Array.from({ length: 7 }, () => {
        const began = performance.now()
        work(of)
        return performance.now() - began
      }),
    )
  quickest(size)
  return quickest(size * 8) / quickest(size)
}

/** Between linear and quadratic, with room for what a cache or a collector adds. */
export const linearGrowth = 24
