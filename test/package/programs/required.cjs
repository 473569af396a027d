// The same from CommonJS, by require() of an ES module.
const { connect, listen } = require('ringpoll');

const listener = listen({
  host: '127.0.0.1',
  port: 0,
  data: (connection, chunk) => connection.write(chunk),
});
connect({
  host: '127.0.0.1',
  port: listener.port,
  open: (client) => client.write('hello'),
  data(client, chunk) {
    console.log(chunk.toString());
    client.close();
    listener.stop({ timeout: 1000 });
  },
});
