import type { TreeName } from '../audit/index.ts'

/** Where a tree lies among others: `demo/2026-11`, or `demo/first` for one without a period. */
export function treePath({ namespace, period }: TreeName): string {
  return `${namespace}/${period === '' ? 'first' : period}`
}
