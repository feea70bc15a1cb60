import { z } from 'zod'
import { recordSchema } from '../../src/audit/record-schema.ts'

/** `docs/record.schema.json`: a record of the decision log as it is stored, for whoever reads the log with other tools. */
export function recordSchemaPage(): string {
  const schema = z.toJSONSchema(recordSchema, { target: 'draft-2020-12', reused: 'ref' })
  return `${JSON.stringify({ title: 'A record of the decision log', ...schema }, null, 2)}\n`
}
