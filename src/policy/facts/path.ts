import { z } from 'zod'
import type { JsonObject } from '../../kernel/index.ts'
import { isText, textsOf, unreadable, type Extractor } from './extractor.ts'
import { ancestorsOf, readPath, type ReadPath } from './read-path.ts'

const parameters = z.strictObject({
  /** The folder that relative paths are taken from; without it they stay relative. */
  base: z
    .string()
    .refine((text) => isBase(text), { error: 'base is an absolute path without "..", such as /srv/data' })
    .optional(),
  case: z.enum(['keep', 'lower'], { error: 'case is keep, or lower for systems that know no case' }).default('keep'),
})

const pathLimit = 100
const stringSet = { type: 'Set', element: { type: 'String' }, required: true } as const

/**
 * One path of a file: `path` itself, `ancestors` (it and every folder above it: `contains("/srv/data")` says that it is
 * that folder or under it), its `segments`, `name`, `extension` (lower case, no dot), `depth`, and whether it is
 * `absolute`. What is taken is at `readPath`. Nothing is looked up: a link on the file system can lead elsewhere.
 */
export const path: Extractor = {
  name: 'path',
  version: 1,
  parameters,
  type: {
    type: 'Record',
    attributes: {
      absolute: { type: 'Boolean', required: true },
      ancestors: stringSet,
      depth: { type: 'Long', required: true },
      extension: { type: 'String', required: true },
      name: { type: 'String', required: true },
      path: { type: 'String', required: true },
      segments: stringSet,
    },
  },
  givesMoney: false,
  takes: { least: 1, most: 1 },
  whenAbsent: null,
  reads: ({ type }) => type === 'String',
  extract([input], settings) {
    if (input === undefined || typeof input.value !== 'string') return unreadable(input?.argument ?? '', 'is not text')
    const read = placed(input.value, settings)
    if (typeof read === 'string') return unreadable(input.argument, read)
    const { absolute, segments } = read
    const name = segments.at(-1) ?? ''
    const extension = extensionOf(name)
    const depth = segments.length
    return {
      ok: true,
      value: {
        absolute,
        ancestors: sorted(ancestorsOf(read)),
        depth,
        extension,
        name,
        path: read.path,
        segments: sorted(segments),
      },
      open: { absolute, depth, extension },
    }
  },
}

/**
 * Several paths, in lists or in arguments of their own, each read as `path` reads it. `ancestors` holds the folders that
 * all of them are in or under, `segments` and `extensions` those of any of them.
 */
export const paths: Extractor = {
  name: 'paths',
  version: 1,
  parameters,
  type: {
    type: 'Record',
    attributes: {
      absolute: { type: 'Boolean', required: true },
      ancestors: stringSet,
      count: { type: 'Long', required: true },
      extensions: stringSet,
      segments: stringSet,
    },
  },
  givesMoney: false,
  takes: { least: 1, most: 16 },
  // No path is under no folder: a permit that asks for a folder does not hold for nothing.
  whenAbsent: {
    value: { absolute: false, ancestors: [], count: 0, extensions: [], segments: [] },
    open: { count: 0, extensions: [] },
  },
  reads: isText,
  extract(inputs, settings) {
    const found: ReadPath[] = []
    for (const { argument, value } of inputs) {
      const texts = textsOf(value)
      if (texts === null) return unreadable(argument, 'is not text or a list of text')
      for (const text of texts) {
        const read = placed(text, settings)
        if (typeof read === 'string') return unreadable(argument, read)
        if (found.length >= pathLimit) return unreadable(argument, `holds more than ${pathLimit} paths`)
        found.push(read)
      }
    }
    const [first, ...rest] = found.map((read) => new Set(ancestorsOf(read)))
    const common = [...(first ?? [])].filter((folder) => rest.every((folders) => folders.has(folder)))
    const extensions = sorted(found.map(({ segments }) => extensionOf(segments.at(-1) ?? '')))
    const count = found.length
    return {
      ok: true,
      value: {
        absolute: count > 0 && found.every(({ absolute }) => absolute),
        ancestors: common.sort(),
        count,
        extensions,
        segments: sorted(found.flatMap(({ segments }) => segments)),
      },
      open: { count, extensions },
    }
  },
}

/** The path in the settings' case, under their base where it is relative. */
function placed(text: string, settings: JsonObject): ReadPath | string {
  const read = readPath(text)
  if (typeof read === 'string') return read
  const { base } = settings
  const under = typeof base === 'string' && !read.absolute ? readPath(`${base === '/' ? '' : base}/${text}`) : read
  if (typeof under === 'string' || settings.case !== 'lower') return under
  return { ...under, path: under.path.toLowerCase(), segments: under.segments.map((segment) => segment.toLowerCase()) }
}

function isBase(text: string): boolean {
  const read = readPath(text)
  return typeof read !== 'string' && read.absolute
}

/** What follows the last point of a name, but for a point in front. */
function extensionOf(name: string): string {
  const point = name.lastIndexOf('.')
  return point > 0 ? name.slice(point + 1).toLowerCase() : ''
}

const sorted = (texts: readonly string[]): string[] => [...new Set(texts)].sort()
