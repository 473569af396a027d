// Sends the requests of an app one after the other, and gives the answers in a form that can be
// compared: without what differs from server to server by right.
import { Agent, request } from 'node:http';

const ANSWER_MS_MAX = 10_000;
const HOST = 'app.test';
/** About the connection, the moment, or the server's name. */
const OTHER = ['connection', 'date', 'keep-alive', 'server', 'transfer-encoding'];

/** Resolves with [status, headers, body], or with what went wrong as text. */
function ask(port, agent, { method = 'GET', path, headers = {}, body }) {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, agent, method, path, timeout: ANSWER_MS_MAX };
    const sent = request({ ...options, headers: { host: HOST, ...headers } }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', ({ code }) => resolve(`broken off: ${code}`));
      answer.on('end', () => resolve({ answer, body: Buffer.concat(pieces) }));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', ({ code, message }) => resolve(`failed: ${code ?? message}`));
    // Several pieces are sent without a length.
    if (Array.isArray(body)) for (const piece of body) sent.write(piece);
    else if (body !== undefined) sent.setHeader('content-length', Buffer.byteLength(body));
    sent.end(Array.isArray(body) ? undefined : body);
  });
}

/** What @hono/node-server says of answers of which nobody has said it; it also writes a space. */
const TEXT = 'content-type: text/plain;charset=UTF-8';

function fieldsOf({ rawHeaders, headers }) {
  const fields = headers['content-type'] === undefined ? [TEXT] : [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    const value = rawHeaders[i + 1];
    if (name === 'content-type') fields.push(`${name}: ${value.replaceAll('; ', ';')}`);
    else if (!OTHER.includes(name)) fields.push(`${name}: ${value}`);
  }
  // Cookies have an order of their own.
  return fields.sort((a, b) => (a.split(':')[0] < b.split(':')[0] ? -1 : a > b ? 1 : 0));
}

function keepCookies(jar, { headers }) {
  for (const line of headers['set-cookie'] ?? []) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === '' || /max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
}

const cookieOf = (jar) => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');

/** The outcome of each request: { what, status, fields, length, body }. */
export async function askAll(port, { requests, masks = [], keepsCookies = false }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const jar = new Map();
  const masked = (text) => masks.reduce((so, mask) => so.replace(mask, '*'), text);
  const outcomes = [];
  for (const wanted of requests) {
    const headers = { ...wanted.headers, ...(jar.size > 0 && { cookie: cookieOf(jar) }) };
    const found = await ask(port, agent, { ...wanted, headers });
    const what = `${wanted.method ?? 'GET'} ${wanted.path}`;
    if (typeof found === 'string') {
      outcomes.push({ what, status: found, fields: [], body: '' });
      continue;
    }
    const { answer, body } = found;
    if (keepsCookies) keepCookies(jar, answer);
    const all = fieldsOf(answer).map(masked);
    const isLength = (field) => field.startsWith('content-length: ');
    outcomes.push({
      ...{ what, status: answer.statusCode, body: masked(body.toString('latin1')) },
      fields: all.filter((field) => !isLength(field)),
      // Masked bodies are of any length.
      length: masks.length > 0 ? undefined : all.find(isLength),
    });
  }
  agent.destroy();
  return outcomes;
}

/** Where two outcomes differ, as lines; a length may be said by one of the two alone. */
export function differences(ours, theirs) {
  const lines = [];
  const differ = (name, one, other) => {
    if (one !== other) lines.push(`${name}: ${one}`, `${' '.repeat(name.length)}  not ${other}`);
  };
  differ('status', ours.status, theirs.status);
  differ('headers', ours.fields.join(' | '), theirs.fields.join(' | '));
  if (ours.length && theirs.length) differ('length', ours.length, theirs.length);
  differ('body', JSON.stringify(ours.body), JSON.stringify(theirs.body));
  return lines;
}
