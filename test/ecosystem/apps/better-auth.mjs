// Signing up, in and out: cookies go from one answer to the next request.
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';

const tables = { user: [], session: [], account: [], verification: [] };
const auth = betterAuth({
  database: memoryAdapter(tables),
  baseURL: 'http://app.test',
  secret: 'a secret of the tests that is long enough',
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
});

const headers = { 'content-type': 'application/json', origin: 'http://app.test' };
const post = (path, value, more = {}) => ({
  ...{ method: 'POST', path: `/api/auth/${path}`, headers: { ...headers, ...more } },
  body: JSON.stringify(value),
});
const me = { email: 'me@app.test', password: 'a long password' };

export const fetch = (request) => auth.handler(request);
export const keepsCookies = true;
export const masks = [
  /"(token|id|userId|createdAt|updatedAt|expiresAt)":"[^"]*"/g,
  /session_token=[^;]*/g,
  /session_data=[^;]*/g,
];
export const requests = [
  { path: '/api/auth/ok' },
  { path: '/api/auth/get-session' },
  post('sign-up/email', { ...me, name: 'grün' }),
  { path: '/api/auth/get-session' },
  post('sign-up/email', { ...me, name: 'again' }),
  post('sign-out', {}),
  { path: '/api/auth/get-session' },
  post('sign-in/email', { ...me, password: 'a wrong password' }),
  post('sign-in/email', me),
  { path: '/api/auth/get-session' },
  post('update-user', { name: 'other' }),
  post('sign-in/email', me, { origin: 'http://evil.test' }),
  post('sign-in/email', {}),
  { method: 'POST', path: '/api/auth/sign-in/email', headers, body: '{' },
  { path: '/api/auth/nowhere' },
];
