import { request } from 'node:http'

export const client = request
