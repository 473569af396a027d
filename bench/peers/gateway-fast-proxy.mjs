// fast-proxy: `gateway-fast-proxy.mjs PORT TARGET_PORT`, with TLS as gateway-listen.mjs says. Its
// agents keep connections to the target.
import fastProxy from 'fast-proxy';
import { listen } from './gateway-listen.mjs';

const [port, target] = process.argv.slice(2);
const { proxy } = fastProxy({ base: `http://127.0.0.1:${target}` });
listen(port, (request, response) => proxy(request, response, request.url, {}));
