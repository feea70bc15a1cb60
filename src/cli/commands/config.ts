import type { Command } from 'commander'
import { configDigest, shownSettings } from '../../config/index.ts'
import type { CommandContext } from '../context.ts'
import { table } from '../terminal.ts'

/** `mcpworks config check|show`. */
export function addConfigCommands(program: Command, context: () => CommandContext): void {
  const config = program
    .command('config')
    .description('The configuration: defaults < mcpworks.yaml < MCPWORKS_* < flags')

  config
    .command('check')
    .description('Validates the configuration and names every mistake; starts nothing')
    .action(() => {
      const { terminal, config: load, loadConfig } = context()
      load()
      const outcome = loadConfig()
      const file = outcome.ok ? outcome.file : null
      terminal.result({ ok: true, file }, `The configuration is good${file === null ? '' : ` (${file})`}.`)
    })

  config
    .command('show')
    .description('Shows every setting in force and where it came from; secrets are not shown')
    .action(() => {
      const { terminal, config: load, loadConfig } = context()
      const values = load()
      const outcome = loadConfig()
      const origins: ReadonlyMap<string, string> = outcome.ok ? outcome.origins : new Map<string, string>()
      const settings = shownSettings(values).map(({ path, value }) => ({
        path,
        value,
        origin: origins.get(path) ?? 'default',
      }))
      const digest = configDigest(values)
      terminal.result(
        { settings, digest },
        `${table(
          ['SETTING', 'VALUE', 'FROM'],
          settings.map((setting) => [setting.path, JSON.stringify(setting.value), setting.origin]),
        )}\n\nDigest, as the record of a start has it: ${digest}`,
      )
    })
}
