// What the Anthropic SDK sends, one operation a line.
import Anthropic, { toFile } from '@anthropic-ai/sdk'

const client = new Anthropic()
const messages = [{ role: 'user', content: 'Say hello.' }]
const model = 'claude-sonnet-4-5'

export default {
  message: () => client.messages.create({ model, max_tokens: 20, messages, tools: [{ name: 'get_weather', input_schema: { type: 'object' } }] }),
  'message, streamed': async () => {
    for await (const _ of client.messages.stream({ model, max_tokens: 20, messages }));
  },
  'token count': () => client.messages.countTokens({ model, messages }),
  'batch create': () => client.messages.batches.create({ requests: [{ custom_id: 'a', params: { model, max_tokens: 20, messages } }] }),
  'batch list': () => client.messages.batches.list(),
  'batch cancel': () => client.messages.batches.cancel('msgbatch_1'),
  'batch delete': () => client.messages.batches.delete('msgbatch_1'),
  models: () => client.models.list(),
  model: () => client.models.retrieve(model),
  'file upload': async () => client.beta.files.upload({ file: await toFile(Buffer.from('hello'), 'a.txt', { type: 'text/plain' }) }),
  'file delete': () => client.beta.files.delete('file_1'),
  'file list': () => client.beta.files.list(),
}
