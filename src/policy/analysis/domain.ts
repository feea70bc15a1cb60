import ipaddr from 'ipaddr.js'
import type { Atom, NumberUnit } from './formula.ts'

/** What one attribute of the context can still be. */
export interface Domain {
  readonly present: boolean | null
  readonly truth: boolean | null
  readonly unit: NumberUnit | null
  readonly least: number
  readonly most: number
  readonly text: string | null
  /** Numbers and texts that it is not. */
  readonly isNot: ReadonlySet<string | number>
  readonly like: readonly (readonly (string | null)[])[]
  readonly notLike: readonly (readonly (string | null)[])[]
  /** Members of a set that it has, and has not. */
  readonly holds: ReadonlySet<string | number>
  readonly lacks: ReadonlySet<string | number>
  /** Sets that it is a part of, and those that it is not. */
  readonly within: readonly (readonly (string | number)[])[]
  readonly notWithin: readonly (readonly (string | number)[])[]
  readonly empty: boolean | null
  readonly networks: readonly string[]
  readonly notNetworks: readonly string[]
}

const anything: Domain = {
  present: null,
  truth: null,
  unit: null,
  least: Number.MIN_SAFE_INTEGER,
  most: Number.MAX_SAFE_INTEGER,
  text: null,
  isNot: new Set(),
  like: [],
  notLike: [],
  holds: new Set(),
  lacks: new Set(),
  within: [],
  notWithin: [],
  empty: null,
  networks: [],
  notNetworks: [],
}

/** What every attribute together can still be, by path. What is not in it can be anything. */
export type Domains = ReadonlyMap<string, Domain>

/**
 * The domains where an atom holds too (or does not); `null` where that cannot be. Where it cannot tell, it says that it
 * can be: `null` is a proof, and anything else is none.
 */
export function narrowed(domains: Domains, atom: Atom, holds: boolean): Domains | null {
  if (atom.kind === 'other') return domains
  const before = domains.get(atom.path) ?? anything
  const after = narrow(before, atom, holds)
  if (after === before) return domains
  if (after === null || !isPossible(after)) return null
  return new Map(domains).set(atom.path, after)
}

function narrow(domain: Domain, atom: Exclude<Atom, { kind: 'other' }>, holds: boolean): Domain | null {
  // Whoever asks what a thing is has made sure that it is there: policies that did not are refused when they are written.
  const there: Domain = domain.present === true || atom.kind === 'has' ? domain : { ...domain, present: true }
  if (domain.present === false && atom.kind !== 'has') return null
  switch (atom.kind) {
    case 'has':
      return domain.present === null || domain.present === holds ? { ...domain, present: holds } : null
    case 'true':
      return there.truth === null || there.truth === holds ? { ...there, truth: holds } : null
    case 'empty':
      return there.empty === null || there.empty === holds ? { ...there, empty: holds } : null
    case 'at-most':
      return holds
        ? { ...there, unit: atom.unit, most: Math.min(there.most, atom.value) }
        : { ...there, unit: atom.unit, least: Math.max(there.least, atom.value + 1) }
    case 'number':
      if (!holds) return { ...there, unit: atom.unit, isNot: new Set([...there.isNot, atom.value]) }
      return {
        ...there,
        unit: atom.unit,
        least: Math.max(there.least, atom.value),
        most: Math.min(there.most, atom.value),
      }
    case 'text':
      if (!holds) return { ...there, isNot: new Set([...there.isNot, atom.value]) }
      return there.text === null || there.text === atom.value ? { ...there, text: atom.value } : null
    case 'like':
      return holds
        ? { ...there, like: [...there.like, atom.pattern] }
        : { ...there, notLike: [...there.notLike, atom.pattern] }
    case 'holds':
      return holds
        ? { ...there, holds: new Set([...there.holds, atom.value]) }
        : { ...there, lacks: new Set([...there.lacks, atom.value]) }
    case 'within':
      return holds
        ? { ...there, within: [...there.within, atom.values] }
        : { ...there, notWithin: [...there.notWithin, atom.values] }
    case 'network':
      return holds
        ? { ...there, networks: [...there.networks, atom.value] }
        : { ...there, notNetworks: [...there.notNetworks, atom.value] }
  }
}

function isPossible(domain: Domain): boolean {
  const { least, most, text, isNot, like, notLike, holds, lacks, within, empty, unit } = domain
  if (unit !== null && firstNumber(domain) === null) return false
  if (least > most) return false
  if (text !== null) {
    if (isNot.has(text) || !like.every((pattern) => matches(text, pattern))) return false
    if (notLike.some((pattern) => matches(text, pattern))) return false
  }
  if (empty === true && holds.size > 0) return false
  if ([...holds].some((item) => lacks.has(item) || !within.every((items) => items.includes(item)))) return false
  if (empty === false && within.some((items) => items.every((item) => lacks.has(item)))) return false
  return networksArePossible(domain)
}

function networksArePossible({ networks, notNetworks }: Domain): boolean {
  const [first, ...others] = networks.map(rangeOf)
  if (first === undefined || first === null) return true
  if (others.some((other) => other !== null && !overlap(first, other))) return false
  return !networks.some((network) => notNetworks.includes(network))
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

function rangeOf(text: string): Range | null {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text)
  if (!ipaddr.isValid(text)) return null
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function overlap([left, leftBits]: Range, [right, rightBits]: Range): boolean {
  if (left.kind() !== right.kind()) return false
  return left.match([right, Math.min(leftBits, rightBits)])
}

/** A whole number of the domain, the one nearest to 0 first; `null` where there is none. */
export function firstNumber({ least, most, isNot }: Domain): number | null {
  const nearest = Math.min(Math.max(0, least), most)
  for (let step = 0; step <= isNot.size; step += 1) {
    for (const value of [nearest + step, nearest - step])
      if (value >= least && value <= most && !isNot.has(value)) return value
  }
  return null
}

/** A text of the domain; `null` where none was found, which proves nothing. */
export function firstText({ text, like, notLike, isNot }: Domain, proposed: string): string | null {
  const fits = (candidate: string): boolean =>
    !isNot.has(candidate) &&
    like.every((pattern) => matches(candidate, pattern)) &&
    !notLike.some((pattern) => matches(candidate, pattern))
  if (text !== null) return text
  const filled = ['', 'x', 'x@', 'xx'].flatMap((filler) =>
    like.map((pattern) => pattern.map((piece) => piece ?? filler).join('')),
  )
  return [proposed, ...filled, 'x', 'y', 'zz', ''].find(fits) ?? null
}

/** An address of the domain; `null` where none was found. */
export function firstAddress({ networks, notNetworks }: Domain, proposed: string): string | null {
  const isIn = (address: string, network: string): boolean => {
    const [single, range] = [rangeOf(address), rangeOf(network)]
    return single !== null && range !== null && single[0].kind() === range[0].kind() && single[0].match(range)
  }
  const candidates = [proposed, ...networks.map((network) => network.split('/')[0] ?? ''), '192.0.2.1', '2001:db8::1']
  return (
    candidates.find(
      (address) =>
        networks.every((network) => isIn(address, network)) && !notNetworks.some((network) => isIn(address, network)),
    ) ?? null
  )
}

/** Members of a set of the domain; `null` where none was found. */
export function firstSet(domain: Domain): (string | number)[] | null {
  const { holds, lacks, within, notWithin, empty } = domain
  const items = new Set(holds)
  if (empty !== true) {
    for (const values of notWithin) items.add(['x', 'y', 'z'].find((one) => !values.includes(one)) ?? 'w')
    if (empty === false && items.size === 0) {
      const [allowed] = within
      items.add(allowed === undefined ? 'x' : (allowed.find((one) => !lacks.has(one)) ?? 'x'))
    }
  }
  const fits = [...items].every((item) => !lacks.has(item) && within.every((values) => values.includes(item)))
  return fits ? [...items] : null
}

/** Whether a text fits the pieces of a `like`, in linear time: what a wildcard stands for is as short as it can be. */
function matches(text: string, pattern: readonly (string | null)[]): boolean {
  let at = 0
  let floats = false
  for (const piece of pattern) {
    if (piece === null) {
      floats = true
      continue
    }
    const found = floats ? text.indexOf(piece, at) : text.startsWith(piece, at) ? at : -1
    if (found < 0) return false
    at = found + piece.length
    floats = false
  }
  const last = pattern.at(-1)
  if (last === null) return true
  if (last === undefined) return text === ''
  // The last piece stands at the end, wherever it was found first.
  const start = text.length - last.length
  return at === text.length || (pattern.includes(null) && start >= at - last.length && text.endsWith(last))
}
