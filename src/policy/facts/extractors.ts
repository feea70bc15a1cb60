import { count } from './count.ts'
import { emailRecipients } from './email-recipients.ts'
import type { Extractor } from './extractor.ts'
import { money } from './money.ts'

/** Every extractor by its name. */
export const extractors: ReadonlyMap<string, Extractor> = new Map(
  [count, emailRecipients, money].map((extractor) => [extractor.name, extractor]),
)
