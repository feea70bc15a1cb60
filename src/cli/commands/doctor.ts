import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { table } from '../terminal.ts'
import { objects } from './rows.ts'

/** `mcpworks doctor`. */
export function addDoctorCommand(program: Command, context: () => CommandContext): void {
  program
    .command('doctor')
    .description(
      'Checks that this machine and the running server can do their work, and says what to do where they cannot',
    )
    .action(async () => {
      const { terminal, config, api } = context()
      const { checkMachine } = await import('../../app/index.ts')
      const checks = await checkMachine(config())
      try {
        const answer = await api().call('platform.doctor', {})
        checks.push(
          ...objects(answer.checks).map((check) => ({
            id: String(check.id),
            ok: check.ok === true,
            detail: String(check.detail),
            remedy: typeof check.remedy === 'string' ? check.remedy : null,
          })),
        )
      } catch (error) {
        if (!(error instanceof CliError)) throw error
        checks.push({ id: 'server', ok: false, detail: error.message, remedy: error.hint })
      }
      const ok = checks.every((check) => check.ok)
      const rows = shorten(checks).map((check) => [
        check.ok ? 'ok' : 'FAIL',
        check.id,
        check.detail,
        check.ok ? '' : (check.remedy ?? ''),
      ])
      terminal.result({ ok, checks }, table(['', 'CHECK', 'FOUND', 'WHAT TO DO'], rows))
      if (!ok) process.exitCode = exitCode.failed
    })
}

/** One thing that was looked at. */
interface HealthCheck {
  readonly id: string
  readonly ok: boolean
  readonly detail: string
  readonly remedy: string | null
}

/** For people: the attempts to break out that failed as they should, as one line. `--json` has each. */
function shorten(checks: readonly HealthCheck[]): HealthCheck[] {
  const isHeld = (check: HealthCheck): boolean => check.ok && check.id.startsWith('sandbox ')
  const held = checks.filter(isHeld).length
  const short = checks.filter((check) => !isHeld(check))
  if (held === 0) return short
  const detail = `${held} self-tests as they should be (--json lists them)`
  const place = short.findIndex((check) => check.id === 'sandbox') + 1
  return short.toSpliced(place, 0, { id: 'sandbox self-test', ok: true, detail, remedy: null })
}
