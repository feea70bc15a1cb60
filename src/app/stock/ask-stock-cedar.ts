import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { StockQuestion } from '../../policy/index.ts'
import { runUnprivileged } from '../../sandbox/index.ts'

const answerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('success'),
    response: z.object({
      decision: z.enum(['allow', 'deny']),
      diagnostics: z.object({ reason: z.array(z.string()), errors: z.array(z.object({ policyId: z.string() })) }),
    }),
  }),
  z.object({ type: z.literal('failure') }),
])

/** What stock Cedar says of one question. `failure`: it does not take the request for a valid one. */
export type StockAnswer = z.output<typeof answerSchema>

const answersSchema = z.object({ version: z.string(), answers: z.array(answerSchema) })

/** What it says of several, in their order; `broken`: the process gave no answer. */
export type StockAnswers =
  | { readonly kind: 'answered'; readonly version: string; readonly answers: readonly StockAnswer[] }
  | { readonly kind: 'broken'; readonly reason: string }

/** All that there is between the question and Cedar: `subject` is the npm package, and nothing else is loaded. */
const script = `
return {
  version: subject.getCedarVersion(),
  answers: input.questions.map(({ set, ...question }) =>
    subject.isAuthorized({ ...question, policies: { staticPolicies: input.sets[set] } }),
  ),
}`

const limits = { wallMs: 120_000, memoryMb: 512, answerBytes: 64 * 1024 * 1024 }

/**
 * Asks the npm package of Cedar, in a process of its own that has no privilege, no environment and no code of ours but
 * a few lines. The whole policy set is given with each question, and the request is validated wherever there is a schema.
 */
export async function askStockCedar(questions: readonly StockQuestion[]): Promise<StockAnswers> {
  const sets: Record<string, Record<string, string>> = {}
  const asked = questions.map(({ policies, policySetHash, schema, principal, action, resource, context, entities }) => {
    sets[policySetHash] ??= Object.fromEntries(policies.map(({ id, text }) => [id, text]))
    const validated = schema === null ? { validateRequest: false } : { schema, validateRequest: true }
    return { set: policySetHash, principal, action, resource, context, entities, ...validated }
  })
  const module = fileURLToPath(import.meta.resolve('@cedar-policy/cedar-wasm/nodejs'))
  const run = await runUnprivileged({ module, script, input: JSON.stringify({ sets, questions: asked }), limits })
  if (!run.ok) return { kind: 'broken', reason: run.reason }
  const parsed = answersSchema.safeParse(JSON.parse(run.answer))
  if (!parsed.success || parsed.data.answers.length !== questions.length)
    return { kind: 'broken', reason: 'it answered something else' }
  return { kind: 'answered', ...parsed.data }
}
