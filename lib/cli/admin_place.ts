// Where admin() of a running server answers, as a command line names it.
import { get, type IncomingMessage } from 'node:http';
import { Failure, UsageError } from './command.js';

export type Body = AsyncIterable<Uint8Array>;

const PORT_DEFAULT = 6060;

export interface AdminPlace {
  url: URL;
  token: string | undefined;
}

/** A URL, as admin() has printed it, or the port on this machine. @throws UsageError */
export function placeOf(given = String(PORT_DEFAULT), option?: unknown): AdminPlace {
  const text = /^\d+$/.test(given) ? `http://127.0.0.1:${given}/` : given;
  if (!URL.canParse(text)) throw new UsageError(`'${given}' is neither a URL nor a port`);
  const url = new URL(text);
  if (url.protocol !== 'http:') throw new UsageError(`'${given}' is no URL of http`);
  const token = option ?? url.searchParams.get('token') ?? process.env.RINGPOLL_ADMIN_TOKEN;
  return { url, token: token === undefined ? undefined : String(token) };
}

/** The body of the answer. @throws Failure when it does not answer, or refuses */
export async function ask({ url, token }: AdminPlace, path: string): Promise<Body> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(new URL(path, url), { headers }, resolve).once('error', (error) => {
      reject(new Failure(`${url.host} does not answer: ${error.message}`));
    });
  });
  if (answer.statusCode === 200) return answer;
  const text = (await textOf(answer)).trim();
  throw new Failure(`${url.host} answers ${answer.statusCode}: ${text}`);
}

export async function textOf(body: Body): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) text += decoder.decode(bytes, { stream: true });
  return text;
}
