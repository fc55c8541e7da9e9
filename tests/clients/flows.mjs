// Flows by HubSpot's client for Node: made, read, turned on, listed and deleted by apiRequest.
import assert from 'node:assert/strict'
import * as hubspot from '@hubspot/api-client'

const [basePath, accessToken, sent] = process.argv.slice(2)
const client = new hubspot.Client({ accessToken, basePath })

async function ask(method, path = '', body = undefined) {
  const answer = await client.apiRequest({ method, path: `/automation/v4/flows${path}`, body })
  return answer.status === 204 ? { status: 204 } : { status: answer.status, ...(await answer.json()) }
}

const made = await ask('POST', '', JSON.parse(sent))
assert.equal(made.status, 201)
const { status, ...flow } = made
assert.deepEqual({ ...(await ask('GET', `/${flow.id}`)), status }, made)
const on = await ask('PUT', `/${flow.id}`, { ...flow, isEnabled: true })
assert.equal(on.isEnabled, true)
const { results } = await ask('POST', '/batch/read', { inputs: [{ flowId: flow.id, type: 'FLOW_ID' }] })
assert.equal(results[0].revisionId, on.revisionId)
assert.equal((await ask('GET')).results.length, 1)
assert.equal((await ask('DELETE', `/${flow.id}`)).status, 204)
console.log('all is well')
