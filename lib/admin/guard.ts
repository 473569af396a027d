// Who may ask: the right Host, no page of another site, and the token.
//
// A browser on this machine reaches loopback for every page that it shows. So a name that a
// stranger has pointed to 127.0.0.1 is refused (DNS rebinding), and so are requests that the
// browser says come from another site.
import { crypto } from '../builtins.js';
import type { HttpRequest, HttpResponse } from '../http/index.js';
import { type CheckedOptions, isLoopback } from './options.js';

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:.]+\])$/;
const COOKIE_SECONDS = 30 * 24 * 3600;
const QUERY_TOKEN = 'token';

/** An answer instead of what was asked for. */
export interface Refusal {
  status: number;
  message: string;
}

function digest(text: string): Buffer {
  return crypto().createHash('sha256').update(text).digest();
}

export class Guard {
  readonly #token: Buffer | undefined;
  readonly #loopback: boolean;
  readonly #allowed: ReadonlySet<string>;
  #cookie = 'ringpoll_admin';
  /** What the cookie holds: other ports of this host get it too, and must not learn the token. */
  readonly #session = crypto().randomBytes(24).toString('base64url');
  readonly #sessionDigest = digest(this.#session);

  constructor({ token, host, allowedHosts }: CheckedOptions) {
    this.#token = token === undefined ? undefined : digest(token);
    this.#loopback = isLoopback(host);
    this.#allowed = allowedHosts;
  }

  /** Cookies are the same for all ports of a host: each endpoint has its own. */
  listensOn(port: number): void {
    this.#cookie = `ringpoll_admin_${port}`;
  }

  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  /** undefined: it may, as far as its Host and its site go. */
  checkOrigin(request: HttpRequest): Refusal | undefined {
    if (!this.#isOurs(request.header('host') ?? '')) {
      return { status: 421, message: 'Host is none of this endpoint: see allowedHosts' };
    }
    const site = request.header('sec-fetch-site');
    if (site !== undefined && site !== 'same-origin' && site !== 'none') {
      return { status: 403, message: 'Requests of other sites are refused' };
    }
    return undefined;
  }

  #isOurs(field: string): boolean {
    const name = field.toLowerCase().replace(/:\d*$/, '');
    if (this.#allowed.has(name) || name === 'localhost') return true;
    if (!ADDRESS.test(name)) return false;
    return !this.#loopback || isLoopback(name.replace(/^\[|\]$/g, ''));
  }

  /** undefined: it may. */
  check(request: HttpRequest): Refusal | undefined {
    const refusal = this.checkOrigin(request);
    if (refusal !== undefined) return refusal;
    if (this.#token === undefined) return undefined;
    const bearer = bearerOf(request);
    if (bearer !== undefined && isSame(bearer, this.#token)) return undefined;
    const cookie = this.#cookieOf(request);
    if (cookie !== undefined && isSame(cookie, this.#sessionDigest)) return undefined;
    return { status: 401, message: 'A token is needed: Authorization: Bearer TOKEN, or /?token=' };
  }

  /** True: it came with the token in its URL, and is sent on to the same page without it. */
  welcomes(request: HttpRequest, response: HttpResponse): boolean {
    const shown = new URLSearchParams(request.query).get(QUERY_TOKEN);
    if (shown === null || this.#token === undefined || !isSame(shown, this.#token)) return false;
    const rules = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${COOKIE_SECONDS}`;
    response.status(303).header('Location', '/').header('Cache-Control', 'no-store');
    response.header('Set-Cookie', `${this.#cookie}=${this.#session}; ${rules}`).end();
    return true;
  }

  #cookieOf(request: HttpRequest): string | undefined {
    for (const pair of (request.header('cookie') ?? '').split('; ')) {
      const [name, value] = pair.split('=', 2);
      if (name === this.#cookie && value !== undefined) return value;
    }
    return undefined;
  }
}

function bearerOf(request: HttpRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(request.header('authorization') ?? '')?.[1];
}

/** Takes as long whatever is wrong with it. */
function isSame(shown: string, wanted: Buffer): boolean {
  return crypto().timingSafeEqual(digest(shown), wanted);
}
