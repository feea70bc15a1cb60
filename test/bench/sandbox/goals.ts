import { round, type Figures } from './measurement.ts'

/** A figure of the table, with what it is a figure of. */
export interface Result extends Figures {
  readonly case: string
  readonly mode: string
  readonly callers: number
  readonly baseline: string | null
  /** p50 over the baseline's, and calls a second over the baseline's, at the same number of callers. */
  readonly p50_ratio: number | null
  readonly per_second_ratio: number | null
}

/** What the waiting jails hold. `null` where none waits. */
export interface IdleMemory {
  readonly pythonChildren: number
  readonly bunJails: number
  readonly pythonChildBytes: number | null
  readonly bunJailBytes: number | null
}

/** Many calls at once, over the same calls. */
export interface QueueFigures {
  readonly calls: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly lastMs: number
}

/** One goal and how far it is. `measured` is `null` where the case could not be run here: then it is not met. */
export interface Goal {
  readonly name: string
  readonly unit: string
  readonly goal: string
  readonly measured: number | null
  readonly met: boolean
  /** How much of the goal is missing, in its own unit; 0 where it is met. */
  readonly missed_by: number | null
}

const mebibyte = 1024 * 1024

export function goalsOf(results: readonly Result[], queue: QueueFigures | null, memory: IdleMemory): Goal[] {
  const find = (name: string, mode: string, callers: number): Result | undefined =>
    results.find((each) => each.case === name && each.mode === mode && each.callers === callers)
  const best = (name: string, mode: string): number | null => {
    const ratios = results
      .filter((each) => each.case === name && each.mode === mode)
      .map((each) => each.per_second_ratio)
    const known = ratios.filter((ratio) => ratio !== null)
    return known.length === 0 ? null : Math.max(...known)
  }
  const pandas = find('python with pandas', 'zygote', 1)?.p50_ratio ?? null
  const inMebibytes = (bytes: number | null): number | null => (bytes === null ? null : bytes / mebibyte)
  return [
    atMost('Python by zygote, p50 at 1 caller', 'times raw bwrap python', 0.2, find('python', 'zygote', 1)?.p50_ratio),
    atLeast(
      'Python by zygote, calls/s, best of 1, 4, 16 callers',
      'times raw bwrap python',
      5,
      best('python', 'zygote'),
    ),
    atLeast(
      'Python with pandas, p50 at 1 caller',
      'times as fast as a cold import in raw bwrap',
      40,
      pandas === null ? null : 1 / pandas,
    ),
    atLeast(
      'TypeScript on Bun, calls/s, best of 1, 4, 16 callers',
      'times raw bwrap bun',
      1.2,
      best('typescript on bun', 'pool'),
    ),
    atMost('Python, a warm jail answers, p50', 'ms', 2, find('python', 'warm', 1)?.p50_ms),
    atMost('TypeScript on Bun, a warm jail answers, p50', 'ms', 2, find('typescript on bun', 'warm', 1)?.p50_ms),
    atMost(
      '500 calls at once, p99',
      'times the p50 of the same calls',
      20,
      queue === null ? null : queue.p99_ms / queue.p50_ms,
    ),
    atMost(
      'idle memory of a waiting Python child (PSS)',
      `MiB, ${memory.pythonChildren} waiting`,
      5,
      inMebibytes(memory.pythonChildBytes),
    ),
    atMost(
      'idle memory of a waiting Bun jail (PSS)',
      `MiB, ${memory.bunJails} waiting`,
      10,
      inMebibytes(memory.bunJailBytes),
    ),
  ]
}

function atMost(name: string, unit: string, bound: number, measured: number | null | undefined): Goal {
  const missed = measured === null || measured === undefined ? null : Math.max(0, measured - bound)
  return goal(name, unit, `<= ${bound}`, measured, missed)
}

function atLeast(name: string, unit: string, bound: number, measured: number | null | undefined): Goal {
  const missed = measured === null || measured === undefined ? null : Math.max(0, bound - measured)
  return goal(name, unit, `>= ${bound}`, measured, missed)
}

function goal(
  name: string,
  unit: string,
  text: string,
  measured: number | null | undefined,
  missed: number | null,
): Goal {
  return {
    name,
    unit,
    goal: text,
    measured: measured === null || measured === undefined ? null : round(measured),
    met: missed === 0,
    missed_by: missed === null ? null : round(missed),
  }
}
