// Where the addon must not be loaded.
import { listen } from 'ringpoll';

try {
  listen({ host: '127.0.0.1', port: 0 }).close();
  console.log('it listens');
} catch ({ code, message }) {
  console.log(`${code} ${message}`);
}
console.log('alive');
