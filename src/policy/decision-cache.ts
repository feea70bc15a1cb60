import { sha256 } from '../kernel/index.ts'
import type { CedarValueJson } from './cedar.ts'
import type { Judgement } from './judge-part.ts'
import { LruMap } from './lru-map.ts'
import type { PreparedRequest } from './prepared-request.ts'

/** Bound on what is remembered, in UTF-16 units of keys and a flat charge for each answer. */
const weightLimit = 16 * 1024 * 1024
const answerWeight = 512
/** Parts of a context longer than this stand in the key as their digest. */
const longestText = 256

/**
 * Remembers what Cedar answered. The key holds everything that Cedar was given: the policies in scope, the schema and
 * the entities (by digest) and the part of the context that these policies could read (as it is). So an answer is
 * never stale and nothing has to be taken out when policies or tools change; another caller never meets it, because
 * the principal is among the entities.
 */
export class DecisionCache {
  #answers = new LruMap<Judgement>(weightLimit)

  /** The answer for the part of a context, from `judge` where it is not remembered. Throws what `judge` throws. */
  answer(
    prepared: PreparedRequest,
    part: { readonly [name: string]: CedarValueJson },
    judge: () => Judgement,
  ): Judgement {
    const { key: kind, readsTime } = prepared.judging()
    // No moment comes twice: remembering would only push out what does.
    if (readsTime) return judge()
    const text = JSON.stringify(part)
    const key = kind + (text.length > longestText ? sha256(text) : text)
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const judgement = judge()
    this.#answers.set(key, judgement, key.length + answerWeight)
    return judgement
  }

  /** Forgets everything. */
  clear(): void {
    this.#answers = new LruMap<Judgement>(weightLimit)
  }
}
