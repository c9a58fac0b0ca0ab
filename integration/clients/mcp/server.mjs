// An MCP server with the SDK's own parts: /mcp answers with events, /json with
// JSON. It prints a line for each tool that is called.
//   node server.mjs cert.pem key.pem
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'

function tools() {
  const server = new McpServer({ name: 'stand-in', version: '1.0.0' })
  const tool = (name, inputSchema, run) => server.registerTool(name, { description: name, inputSchema }, async (args, extra) => {
    console.log('called ' + name)
    return { content: [{ type: 'text', text: await run(args ?? {}, extra) }] }
  })
  tool('get_time', {}, () => 'noon')
  tool('write_file', { path: z.string() }, ({ path }) => 'wrote ' + path)
  tool('delete_all', {}, () => 'gone')
  tool('count', { to: z.number() }, async ({ to }, extra) => {
    for (let i = 1; i <= to; i++) {
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: extra._meta.progressToken, progress: i, total: to } })
    }
    return 'counted'
  })
  tool('announce', {}, () => {
    server.sendToolListChanged()
    return 'announced'
  })
  return server
}

const sessions = new Map()

async function serve(req, res) {
  const known = sessions.get(req.headers['mcp-session-id'])
  if (req.method !== 'POST') {
    return known ? known.handleRequest(req, res) : res.writeHead(400).end()
  }
  let text = ''
  for await (const piece of req) text += piece
  const body = JSON.parse(text)
  if (known) return known.handleRequest(req, res, body)
  if (!isInitializeRequest(body)) return res.writeHead(400).end()
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: req.url === '/json',
    onsessioninitialized: (id) => sessions.set(id, transport),
  })
  await tools().connect(transport)
  await transport.handleRequest(req, res, body)
}

const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file))
const server = createServer({ cert, key }, (req, res) => {
  if (req.headers.authorization !== 'Bearer ' + process.env.MCP_TOKEN) return res.writeHead(401).end()
  serve(req, res).catch((err) => {
    console.error(err)
    res.destroy()
  })
})
server.listen(0, '127.0.0.1', () => console.log('listening on ' + server.address().port))
