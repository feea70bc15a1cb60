import { count } from './count.ts'
import { emailRecipients } from './email-recipients.ts'
import type { Extractor } from './extractor.ts'
import { money } from './money.ts'
import { path, paths } from './path.ts'
import { sql } from './sql.ts'
import { url, urls } from './url.ts'

/** Every extractor by its name. */
export const extractors: ReadonlyMap<string, Extractor> = new Map(
  [count, emailRecipients, money, path, paths, sql, url, urls].map((extractor) => [extractor.name, extractor]),
)
