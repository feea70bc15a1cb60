import { readFileSync } from 'node:fs'

/** How far a sale has come. */
export type Stage = 'new' | 'contacted' | 'qualified' | 'proposal' | 'negotiation'

/** The columns of data/leads.csv that the functions use. */
export interface Lead {
  country: string
  score: number
  stage: Stage
  dealValueEur: number
}

/** All leads of data/leads.csv. */
export function loadLeads(): Lead[] {
  const text = readFileSync(new URL('../data/leads.csv', import.meta.url), 'utf8')
  const [header = '', ...lines] = text.trimEnd().split('\n')
  const columns = header.split(',')
  return lines.map((line) => {
    const fields = splitRow(line)
    const field = (name: string): string => fields[columns.indexOf(name)] ?? ''
    return {
      country: field('country'),
      score: Number(field('score')),
      stage: field('stage') as Stage,
      dealValueEur: Number(field('deal_value_eur')),
    }
  })
}

/** One row of CSV (RFC 4180) without line breaks in fields. */
function splitRow(line: string): string[] {
  return Array.from(
    line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g),
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}
