import { errorTable } from '../../src/kernel/index.ts'
import { table } from './markdown-table.ts'

/** `docs/errors.md`: every row of the error table. */
export function errorsPage(): string {
  const rows = Object.entries(errorTable).map(([code, row]) => [
    `\`${code}\``,
    String(row.status),
    String(row.rpc),
    'oauth' in row && row.oauth !== undefined ? `\`${row.oauth}\`` : '',
    row.retryable ? 'yes' : 'no',
    row.message,
  ])
  return `# Errors

Made from \`src/kernel/errors.ts\` by \`npm run fix\`.

Every error carries one of these codes. The sentence is for whoever called; details that could help an attacker are only in the server's log, and neither ever holds a credential. An error that is not in this table is a defect: it answers 500 with an incident id and nothing else.

"Retry" says whether the same request may succeed later without a change.

${table(['code', 'HTTP', 'JSON-RPC', 'OAuth', 'retry', 'what it says'], rows)}
`
}
