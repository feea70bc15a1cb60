import { readFileSync } from 'node:fs'
import { fixture } from '../../test/fixture.ts'
import { decide } from './decide.ts'

export const tested = [readFileSync, fixture, decide]
