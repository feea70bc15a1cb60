import type { CallGraph } from './build-call-graph.ts'

/** What can be brought to run from `roots` without going through one of `stops`, with who was before each on a way. */
export function reach(
  { edges }: Pick<CallGraph, 'edges'>,
  roots: Iterable<string>,
  stops: ReadonlySet<string>,
): ReadonlyMap<string, string | null> {
  const before = new Map<string, string | null>([...roots].map((root) => [root, null]))
  for (const name of before.keys()) {
    if (stops.has(name)) continue
    for (const next of edges.get(name) ?? []) if (!before.has(next)) before.set(next, name)
  }
  return before
}

/** The way to a name, one step a line, for people. */
export function wayTo(before: ReadonlyMap<string, string | null>, name: string): string {
  const steps: string[] = []
  for (let at: string | null | undefined = name; at !== null && at !== undefined; at = before.get(at)) steps.unshift(at)
  return steps.join('\n  -> ')
}
