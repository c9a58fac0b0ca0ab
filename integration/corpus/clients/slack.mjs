// What the Slack SDK sends, one operation a line.
import { WebClient } from '@slack/web-api'

const client = new WebClient(process.env.SLACK_BOT_TOKEN)

export default {
  message: () => client.chat.postMessage({ channel: 'C012AB3CD', text: 'hello', blocks: [{ type: 'divider' }] }),
  'message update': () => client.chat.update({ channel: 'C012AB3CD', ts: '1700000000.000100', text: 'hello again' }),
  'message delete': () => client.chat.delete({ channel: 'C012AB3CD', ts: '1700000000.000100' }),
  'channel list': () => client.conversations.list({ limit: 20, types: 'public_channel' }),
  'channel archive': () => client.conversations.archive({ channel: 'C012AB3CD' }),
  'channel invite': () => client.conversations.invite({ channel: 'C012AB3CD', users: 'U1,U2' }),
  'channel history': () => client.conversations.history({ channel: 'C012AB3CD' }),
  'user info': () => client.users.info({ user: 'U1' }),
  reaction: () => client.reactions.add({ channel: 'C012AB3CD', name: 'thumbsup', timestamp: '1700000000.000100' }),
  'file upload': () => client.filesUploadV2({ file: Buffer.from('hello'), filename: 'a.txt', title: 'a', channel_id: 'C012AB3CD' }),
  'auth test': () => client.auth.test(),
}
