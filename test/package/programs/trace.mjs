// Where an error comes from, in terms of the sources.
import { listen } from 'ringpoll';

try {
  listen({ port: '80' });
} catch (error) {
  console.log(error.stack);
}
