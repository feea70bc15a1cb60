import { config } from '../config/index.ts'
import { client } from './api-client.ts'
import { gateway } from '../gateway/index.ts' // expect: folder-cli

export const main = [config, client, gateway]
