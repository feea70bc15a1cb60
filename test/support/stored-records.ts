import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { recordValidator } from './record-validator.ts'

/** Every record of a log on SQLite held against the published schema: the kinds that there are, and what does not fit. */
export function storedRecords(dataDirectory: string): { kinds: string[]; problems: string[] } {
  const database = new DatabaseSync(join(dataDirectory, 'audit.db'), { readOnly: true })
  try {
    const validate = recordValidator()
    const rows = database.prepare("SELECT kind, json FROM records WHERE json <> ''").all()
    return {
      kinds: [...new Set(rows.map(({ kind }) => String(kind)))].toSorted(),
      problems: rows.flatMap(({ json }) => validate(String(json)).map((problem) => `${problem}\n${String(json)}`)),
    }
  } finally {
    database.close()
  }
}
