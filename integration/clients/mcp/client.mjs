// What an agent does with an MCP server, with the SDK's own client. It prints
// one object: what came of each step.
//   node client.mjs https://mcp.example.com/mcp
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { EnvHttpProxyAgent, setGlobalDispatcher } from 'undici'

setGlobalDispatcher(new EnvHttpProxyAgent()) // Node reads the proxy from the environment by itself from version 24 on

const url = new URL(process.argv[2])
const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: 'Bearer none-of-ours' } } })
const client = new Client({ name: 'agent', version: '1.0.0' })
const came = {}
const changed = new Promise((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve(true)))

const names = (list) => list.tools.map((tool) => tool.name)
const call = async (name, args, options) => {
  try {
    return (await client.callTool({ name, arguments: args }, undefined, options)).content[0].text
  } catch (err) {
    return 'failed: ' + err.message
  }
}
const batch = async (...requests) => {
  const res = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-session-id': transport.sessionId, 'mcp-protocol-version': '2025-03-26' },
    body: JSON.stringify(requests.map(([method, params], id) => ({ jsonrpc: '2.0', id: 'batch-' + id, method, params }))),
  })
  const text = await res.text()
  return { status: res.status, type: res.headers.get('content-type'), text }
}

await client.connect(transport)
came.tools = names(await client.listTools())
came.time = await call('get_time', {})
came.wrote = await call('write_file', { path: '/tmp/a' })
came.forbidden = await call('write_file', { path: '/etc/passwd' })
came.denied = await call('delete_all', {})
came.steps = 0
came.counted = await call('count', { to: 5 }, { onprogress: () => came.steps++ })
came.batch = await batch(['tools/list', {}], ['tools/call', { name: 'get_time', arguments: {} }])
came.deniedBatch = await batch(['tools/call', { name: 'get_time', arguments: {} }], ['tools/call', { name: 'delete_all', arguments: {} }])
if (url.pathname === '/mcp') {
  came.announced = await call('announce', {})
  came.changed = await Promise.race([changed, new Promise((resolve) => setTimeout(() => resolve(false), 20000).unref())])
}
await transport.terminateSession()
await client.close()
console.log(JSON.stringify(came))
