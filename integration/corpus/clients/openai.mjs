// What the OpenAI SDK sends, one operation a line.
import OpenAI, { toFile } from 'openai'

const client = new OpenAI()
const messages = [{ role: 'user', content: 'Say hello.' }]

export default {
  chat: () => client.chat.completions.create({ model: 'gpt-5.2', messages, max_completion_tokens: 20 }),
  'chat, streamed': async () => {
    for await (const _ of await client.chat.completions.create({ model: 'gpt-5.2', messages, stream: true }));
  },
  response: () => client.responses.create({ model: 'gpt-5.2', input: 'Say hello.', tools: [{ type: 'web_search' }] }),
  embedding: () => client.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' }),
  'file upload': async () => client.files.create({ file: await toFile(Buffer.from('{"a":1}\n'), 'a.jsonl'), purpose: 'batch' }),
  'file list': () => client.files.list(),
  'file delete': () => client.files.delete('file-1'),
  image: () => client.images.generate({ model: 'gpt-image-1', prompt: 'a lighthouse', size: '1024x1024' }),
  transcription: async () => client.audio.transcriptions.create({ model: 'whisper-1', file: await toFile(Buffer.from('RIFF'), 'a.wav') }),
  moderation: () => client.moderations.create({ input: 'hello' }),
  models: () => client.models.list(),
  'model delete': () => client.models.delete('ft:gpt-4o-mini:acme::1'),
  'fine tuning': () => client.fineTuning.jobs.create({ model: 'gpt-4o-mini', training_file: 'file-1' }),
  batch: () => client.batches.create({ endpoint: '/v1/chat/completions', input_file_id: 'file-1', completion_window: '24h' }),
  'vector search': () => client.vectorStores.search('vs_1', { query: 'hello' }),
}
