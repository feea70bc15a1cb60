import type { Command } from 'commander'
import { createProgram } from '../../src/cli/program.ts'

/** `docs/cli.md`: the help of every command, as the command line prints it. */
export function cliPage(): string {
  const program = createProgram('', {}, '/')
  return `# Command line

Made from \`src/cli\` by \`npm run fix\`. In a checkout, type \`npx mcpworks\` for \`mcpworks\`.

${sections(program, []).join('\n\n')}
`
}

function sections(command: Command, parents: readonly string[]): readonly string[] {
  const path = [...parents, command.name()]
  // A fixed width: the page must not depend on the terminal of whoever made it.
  const help = command.configureHelp({ helpWidth: 100 }).configureOutput({ getOutHasColors: () => false })
  const text = help.helpInformation().trimEnd()
  const own = `## ${path.join(' ')}\n\n\`\`\`text\n${text}\n\`\`\``
  return [own, ...command.commands.flatMap((child) => sections(child, path))]
}
