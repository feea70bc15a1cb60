import { spawn } from 'node:child_process' // expect: child-process-only-in-sandbox
import { connect } from 'node:net' // expect: no-network
import { lookup } from 'dns/promises' // expect: no-network
import { request } from 'undici' // expect: no-network
import fc from 'fast-check' // expect: no-undeclared-package
import { fixture } from '../../test/fixture.ts' // expect: no-test-from-source
import { decide } from '../policy/index.ts' // expect: no-cycle

export type Answer = string
export const gateway = [spawn, connect, lookup, request, fc, fixture, decide]
