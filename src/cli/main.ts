import { readFileSync } from 'node:fs'
import { CommanderError, type Command } from 'commander'
import { McpworksError } from '../kernel/index.ts'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'
import { printable, printableJson } from './printable.ts'
import { createProgram } from './program.ts'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
const program = createProgram(manifest.version, process.env, process.cwd())

// A reader that stops early (`| head`) is no fault of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? exitCode.ok : exitCode.internal),
)

exitByThrowing(program)
try {
  await program.parseAsync(process.argv)
} catch (error) {
  process.exitCode = report(error)
}

/** Commander ends the process by itself unless told to throw; every command has to be told. */
function exitByThrowing(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) exitByThrowing(child)
}

/** Prints an error for people, or as JSON, and gives the exit code. A stack trace is for bugs only. */
function report(error: unknown): number {
  const json = process.argv.includes('--json')
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCode.ok
    // Commander has told people already; a script reads stdout.
    if (json && error.code !== 'commander.help')
      console.log(printableJson({ error: { message: error.message, hint: null } }, 2))
    return exitCode.usage
  }
  if (error instanceof CliError || error instanceof McpworksError) {
    const code = error instanceof CliError ? error.code : exitCode.failed
    const hint = error instanceof CliError ? error.hint : null
    if (json) console.log(printableJson({ error: { message: error.message, hint, ...error.data } }, 2))
    else console.error(printable(hint === null ? error.message : `${error.message}\n${hint}`))
    return code
  }
  console.error('This is a bug in mcpworks:', error)
  return exitCode.internal
}
