// Makes examples/leads/services/leads/data/leads.csv: 500 invented sales leads, the same ones on every run.
// Companies and people are made up; the addresses are under .example, which RFC 2606 reserves.
//   node examples/generate-leads.script.ts            writes the file
//   node examples/generate-leads.script.ts --check    exits with 1 where the file is another
import { readFileSync, writeFileSync } from 'node:fs'

const target = new URL('./leads/services/leads/data/leads.csv', import.meta.url)
const rows = 500

/** Mulberry32: a small generator with a fixed seed, so that the file can be made again anywhere. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const random = createRandom(20261120)
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))

const countries: readonly {
  code: string
  weight: number
  first: readonly string[]
  last: readonly string[]
  suffix: readonly string[]
}[] = [
  {
    code: 'DE',
    weight: 24,
    first: ['Anna', 'Lukas', 'Sabine', 'Jonas', 'Katrin', 'Matthias', 'Heike', 'Felix'],
    last: ['Müller', 'Schneider', 'Weber', 'Hoffmann', 'Krüger', 'Vogel', 'Brandt', 'Lindner'],
    suffix: ['GmbH', 'AG', 'GmbH & Co. KG'],
  },
  {
    code: 'FR',
    weight: 16,
    first: ['Camille', 'Hugo', 'Élodie', 'Julien', 'Manon', 'Antoine'],
    last: ['Lefèvre', 'Moreau', 'Girard', 'Bonnet', 'Fontaine', 'Mercier'],
    suffix: ['SA', 'SAS', 'SARL'],
  },
  {
    code: 'GB',
    weight: 14,
    first: ['Emma', 'Oliver', 'Priya', 'Harry', 'Charlotte', 'Imran'],
    last: ['Clarke', 'Patel', 'Hughes', 'Bennett', 'Khan', 'Walsh'],
    suffix: ['Ltd', 'plc', 'LLP'],
  },
  {
    code: 'US',
    weight: 20,
    first: ['Jessica', 'Michael', 'Aaliyah', 'David', 'Maria', 'Kevin'],
    last: ['Johnson', 'Rivera', 'Nguyen', 'Thompson', 'Kowalski', 'Brooks'],
    suffix: ['Inc.', 'LLC', 'Corp.'],
  },
  {
    code: 'NL',
    weight: 8,
    first: ['Sanne', 'Daan', 'Femke', 'Bram'],
    last: ['de Vries', 'Jansen', 'van Dijk', 'Bakker'],
    suffix: ['B.V.', 'N.V.'],
  },
  {
    code: 'ES',
    weight: 8,
    first: ['Lucía', 'Javier', 'Carmen', 'Pablo'],
    last: ['García', 'Fernández', 'Ruiz', 'Ortega'],
    suffix: ['S.L.', 'S.A.'],
  },
  {
    code: 'IT',
    weight: 6,
    first: ['Giulia', 'Marco', 'Chiara', 'Luca'],
    last: ['Rossi', 'Esposito', 'Ferrari', 'Conti'],
    suffix: ['S.p.A.', 'S.r.l.'],
  },
  {
    code: 'PL',
    weight: 4,
    first: ['Zofia', 'Piotr', 'Agnieszka', 'Tomasz'],
    last: ['Nowak', 'Wójcik', 'Zieliński', 'Lewandowska'],
    suffix: ['sp. z o.o.', 'S.A.'],
  },
]
const industries = [
  'Automotive',
  'Chemicals',
  'Energy',
  'Finance',
  'Food',
  'Healthcare',
  'Logistics',
  'Machinery',
  'Retail',
  'Software',
]
const stems = [
  'Nord',
  'Alt',
  'Hell',
  'Kron',
  'Silber',
  'Terra',
  'Vela',
  'Quint',
  'Aster',
  'Boreal',
  'Cobalt',
  'Delphi',
  'Ember',
  'Fjord',
  'Gran',
  'Helio',
  'Ion',
  'Juno',
  'Kestrel',
  'Lumen',
  'Meri',
  'Nova',
  'Orbis',
  'Pallas',
]
const endings = [
  'werk',
  'tec',
  'line',
  'systems',
  'haus',
  'motion',
  'trade',
  'labs',
  'partners',
  'logic',
  'works',
  'flow',
]
const roles = [
  'Head of Procurement',
  'CTO',
  'Operations Manager',
  'CFO',
  'Plant Manager',
  'IT Director',
  'Managing Director',
  'Head of Data',
]
const sources = ['trade fair', 'webinar', 'referral', 'website', 'cold call', 'partner']
const stages = ['new', 'contacted', 'qualified', 'proposal', 'negotiation'] as const
const notes = [
  'Asked for a reference customer of the same size before going further.',
  'Budget is approved for the next quarter; wants a fixed price.',
  'Runs a competitor product until the contract ends in spring.',
  'Security questionnaire sent, answers expected within two weeks.',
  'Prefers a call on Thursday afternoons; no e-mail newsletters please.',
  'Two plants involved, the second one decides about the integration.',
  'Wants to see the audit log export, "with real data, not slides".',
  'Legal reviews the data processing agreement.',
  'Interested, but the new management has frozen all projects until March.',
  'Pilot with 20 users went well; rollout depends on single sign-on.',
  'Met at the stand, took a brochure, asked about on-premises hosting.',
  'Was promised a discount of 8% by the partner; check before the offer.',
]

function pickCountry(): (typeof countries)[number] {
  let at = random() * countries.reduce((sum, country) => sum + country.weight, 0)
  return countries.find((country) => (at -= country.weight) < 0) ?? (countries[0] as (typeof countries)[number])
}

/** Lower-case ASCII: `Müller` becomes `mueller`. */
function ascii(text: string): string {
  const spelt = text.toLowerCase().replace(/ä/g, 'ae').replace(/ö/g, 'oe').replace(/ü/g, 'ue').replace(/ł/g, 'l')
  return spelt
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
}

function field(value: string | number): string {
  const text = String(value)
  return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

function lead(id: number): (string | number)[] {
  const country = pickCountry()
  const industry = pick(industries)
  const brand = `${pick(stems)}${pick(endings)}`
  const first = pick(country.first)
  const last = pick(country.last)
  // Most companies are small: the square of a uniform number leans to the low end.
  const employees = Math.round(8 + random() ** 3 * 4800)
  const stage = pick(stages)
  const score = Math.min(99, Math.round(12 + random() * 58 + stages.indexOf(stage) * 5 + Math.log10(employees) * 3))
  const dealValue = Math.round((employees * (40 + random() * 160) + between(2_000, 15_000)) / 500) * 500
  const day = new Date(Date.UTC(2026, 10, 20) - between(1, 420) * 86_400_000).toISOString().slice(0, 10)
  return [
    id,
    `${brand} ${pick(country.suffix)}`,
    `${first} ${last}`,
    pick(roles),
    `${ascii(first)}.${ascii(last)}@${ascii(brand)}.example`,
    country.code,
    industry,
    employees,
    score,
    stage,
    dealValue,
    day,
    pick(sources),
    pick(notes),
  ]
}

const header = [
  'id',
  'company',
  'contact',
  'role',
  'email',
  'country',
  'industry',
  'employees',
  'score',
  'stage',
  'deal_value_eur',
  'last_contact',
  'source',
  'notes',
]
const lines = [header, ...Array.from({ length: rows }, (_, index) => lead(1001 + index))].map((row) =>
  row.map(field).join(','),
)
const text = `${lines.join('\n')}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write('leads.csv is not what this script makes\n')
    process.exitCode = 1
  }
} else writeFileSync(target, text)
