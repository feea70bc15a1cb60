import { Ajv2020 } from 'ajv/dist/2020.js'
import { readFileSync } from 'node:fs'

/** What the published JSON Schema of records has against one, by another implementation than the one that it was written with. */
export type RecordValidator = (json: string) => string[]

/** Reads `docs/record.schema.json`. */
export function recordValidator(): RecordValidator {
  const schema: unknown = JSON.parse(readFileSync('docs/record.schema.json', 'utf8'))
  const validate = new Ajv2020({ validateFormats: false, allowUnionTypes: true, strictTypes: false }).compile(
    schema as object,
  )
  return (json) => {
    if (validate(JSON.parse(json))) return []
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      return `${instancePath}: ${message ?? ''} ${JSON.stringify(params)}`
    })
  }
}
