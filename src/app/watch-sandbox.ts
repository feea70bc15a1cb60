import { withoutSecrets } from '../audit/index.ts'
import { McpworksError, type Clock } from '../kernel/index.ts'
import type { ExecutorChange, ExecutorEnd } from '../sandbox/index.ts'
import type { Log } from './log.ts'

const maxLines = 10
const maxLineCharacters = 300

/** What has become of executors since the start of the server. */
export interface SandboxHistory {
  /** How many were lost. */
  readonly losses: number
  /** When and how the last of them was. */
  readonly lastLoss: { readonly timeMs: number; readonly how: string } | null
  /** Why it cannot be started again, while that is so. */
  readonly problem: string | null
}

/** Follows the executors of a sandbox. */
export interface SandboxWatch {
  readonly onChange: (change: ExecutorChange) => void
  history(): SandboxHistory
}

/**
 * Tells the operator when an executor is lost, and how; why it cannot be started again, once for each reason; and when
 * there is one again.
 */
export function watchSandbox(log: Log, clock: Clock): SandboxWatch {
  let history: SandboxHistory = { losses: 0, lastLoss: null, problem: null }
  const onLoss = (end: ExecutorEnd, executions: number): void => {
    const how = howItEnded(end)
    history = { losses: history.losses + 1, lastLoss: { timeMs: clock.nowMs(), how }, problem: null }
    const { exitCode, signal, stderr } = end
    log.error(
      { exitCode, signal, executions, lastLines: lastLines(stderr) },
      `the sandbox executor was lost (${how}); what ran in it has ended, and it is started again`,
    )
  }
  const onRefusal = (error: unknown): void => {
    const problem = error instanceof Error ? error.message : String(error)
    if (problem === history.problem) return
    history = { ...history, problem }
    const said = error instanceof McpworksError ? (error.detail ?? '') : ''
    log.error(
      { reason: problem, lastLines: lastLines(said) },
      'the sandbox executor cannot be started again: every call of hosted code is refused until it can',
    )
  }
  const onStart = (): void => {
    history = { ...history, problem: null }
    log.info({ losses: history.losses }, 'the sandbox executor is up again')
  }
  return {
    onChange(change) {
      if (change.type === 'lost') onLoss(change.end, change.executions)
      else if (change.type === 'not-started') onRefusal(change.error)
      else onStart()
    },
    history: () => history,
  }
}

function howItEnded({ exitCode, signal, brokeProtocol }: ExecutorEnd): string {
  if (brokeProtocol) return 'it did not keep to its protocol and was killed'
  if (signal !== null) return `ended by ${signal}`
  return exitCode === null ? 'it could not be started' : `exit code ${exitCode}`
}

/** The end of what a process said, bounded, without credentials. */
function lastLines(stderr: string): string[] {
  return withoutSecrets(stderr)
    .text.split('\n')
    .map((line) => line.trimEnd().slice(0, maxLineCharacters))
    .filter((line) => line !== '')
    .slice(-maxLines)
}
