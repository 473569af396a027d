// The module that each thread of group-http.mjs loads.
import { plaintext, plaintextStatic } from './plaintext.mjs';

export default ({ number, data }) => ({
  host: '127.0.0.1',
  port: data.port,
  static: plaintextStatic,
  handler(request, response) {
    if (request.path !== '/thread') return plaintext(request, response);
    response.header('Content-Type', 'text/plain').end(`${number}\n`);
    return undefined;
  },
});
