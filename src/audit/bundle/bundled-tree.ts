import { z } from 'zod'
import { isLogPeriod, periodFolder } from '../log-period.ts'

const bundledTreeSchema = z.strictObject({
  /** UTC month, empty for a tree that was begun before trees had a period. */
  period: z.string().refine(isLogPeriod),
  /** Position of its first leaf in the namespace. */
  first_index: z.int().min(0),
  /** Records. */
  size: z.int().min(1),
})

/** A line of `trees.jsonl`. */
export type BundledTree = z.output<typeof bundledTreeSchema>

/** Reads a line of `trees.jsonl`; `null` where it is not one. Believes nothing in it. */
export function readBundledTree(line: string): BundledTree | null {
  try {
    const parsed = bundledTreeSchema.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : null
  } catch {
    // Not JSON: not a tree.
    return null
  }
}

/** Where a file of a tree lies in a bundle. */
export function bundledPath(period: string, file: string): string {
  return `${periodFolder(period)}/${file}`
}
