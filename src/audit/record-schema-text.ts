import { z } from 'zod'
import { recordSchema } from './record-schema.ts'

/** `docs/record.schema.json` of this version: the JSON Schema (2020-12) of a record, for whoever reads the log with other tools. */
export function recordSchemaText(): string {
  const schema = z.toJSONSchema(recordSchema, { target: 'draft-2020-12', reused: 'ref' })
  return `${JSON.stringify({ title: 'A record of the decision log', ...schema }, null, 2)}\n`
}
