import { Command } from 'commander'
import type { ConfigSources } from '../config/index.ts'
import { addAgentCommands } from './commands/agent.ts'
import { addApprovalCommands } from './commands/approval.ts'
import { addApplyCommand } from './commands/apply.ts'
import { addAuditCommands } from './commands/audit.ts'
import { addConnectCommand } from './commands/connect.ts'
import { addBindingCommands } from './commands/binding.ts'
import { addClientCommands } from './commands/client.ts'
import { addConfigCommands } from './commands/config.ts'
import { addCredentialCommands } from './commands/credential.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addFunctionCommands } from './commands/function.ts'
import { addKeyCommands } from './commands/key.ts'
import { addNamespaceCommands } from './commands/namespace.ts'
import { addPolicyCommands } from './commands/policy.ts'
import { addQuarantineCommands } from './commands/quarantine.ts'
import { addSandboxCommands } from './commands/sandbox.ts'
import { addUpCommand } from './commands/up.ts'
import { addUpstreamCommands } from './commands/upstream.ts'
import { addUserCommands } from './commands/user.ts'
import { createContext, type CommandContext, type GlobalOptions } from './context.ts'

/** The command line, as data for commander; `docs/cli.md` is made from it. */
export function createProgram(version: string, env: ConfigSources['env'], cwd: string): Command {
  const program = new Command('mcpworks')
    .description('Runs and fronts MCP servers: every call authenticated, decided by policy, sandboxed and recorded.')
    .version(version)
    .option('--json', 'print JSON, for scripts')
    .option('--config <file>', 'configuration file (default: mcpworks.yaml in the current directory, if it is there)')
    .option('--data-directory <directory>', 'directory of all state (default: ~/.mcpworks)')
    .showHelpAfterError('(--help shows what there is)')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused or failed, 2 a mistake in the command or configuration, 3 no server answers, 70 a bug.',
    )
  const context = (): CommandContext => createContext(program.opts<GlobalOptions>(), env, cwd)

  addUpCommand(program, context)
  addApplyCommand(program, context)
  addAgentCommands(program, context)
  addKeyCommands(program, context)
  addClientCommands(program, context)
  addBindingCommands(program, context)
  addConnectCommand(program, context)
  addUserCommands(program, context)
  addCredentialCommands(program, context)
  addNamespaceCommands(program, context)
  addFunctionCommands(program, context)
  addPolicyCommands(program, context)
  addApprovalCommands(program, context)
  addAuditCommands(program, context)
  addQuarantineCommands(program, context)
  addConfigCommands(program, context)
  addUpstreamCommands(program, context)
  addDoctorCommand(program, context)
  addSandboxCommands(program, context)
  return program
}
