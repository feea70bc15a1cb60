import { second } from './second.ts' // expect: no-cycle

export const first = (): unknown => second
