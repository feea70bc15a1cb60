import { loadLeads, type Stage } from './lib/leads.ts'

/** What to count. */
interface Question {
  /** Only leads of this country, as a two-letter code. */
  country?: 'DE' | 'ES' | 'FR' | 'GB' | 'IT' | 'NL' | 'PL' | 'US'
  /**
   * Only leads with at least this score.
   * @integer
   * @minimum 0
   * @maximum 99
   * @default 0
   */
  minScore?: number
}

interface StageForecast {
  stage: Stage
  /** @integer */
  leads: number
  /** The chance, from 0 to 1, that a deal at this stage is closed. */
  chance: number
  /**
   * Deal values times the chance, in whole euros.
   * @integer
   */
  expectedEur: number
}

interface Forecast {
  stages: StageForecast[]
  /** @integer */
  totalExpectedEur: number
}

const chances: Record<Stage, number> = { new: 0.02, contacted: 0.05, qualified: 0.15, proposal: 0.35, negotiation: 0.6 }

/** What the open deals are worth, each weighted with the chance of its stage. */
export function forecast(input: Question): Forecast {
  const leads = loadLeads().filter(
    (lead) => lead.score >= (input.minScore ?? 0) && (input.country === undefined || lead.country === input.country),
  )
  const stages = (Object.keys(chances) as Stage[]).map((stage) => {
    const atStage = leads.filter((lead) => lead.stage === stage)
    const value = atStage.reduce((sum, lead) => sum + lead.dealValueEur, 0)
    return { stage, leads: atStage.length, chance: chances[stage], expectedEur: Math.round(value * chances[stage]) }
  })
  return { stages, totalExpectedEur: stages.reduce((sum, stage) => sum + stage.expectedEur, 0) }
}
