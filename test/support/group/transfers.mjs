// Raw bytes: connections go from thread to thread, as their peers' commands say, or at random.
//
//   first listener   a line is a command, and each is answered by a line
//   second listener  an echo that gives connections away at random, with what it has not answered
//   third listener   the same commands, over TLS where the data has a certificate

// The same run for the same seed (mulberry32).
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TRIES = [
  (c) => c.transfer(2),
  (c) => c.transfer(-1),
  (c) => c.transfer(0.5),
  (c) => c.transfer('1'),
  (c) => c.transfer(),
  (c) => c.transfer(1, { nonsense: 1 }),
  (c) => c.transfer(1, { data: () => 1 }),
  (c) => c.transfer(1, { data: 'x'.repeat(70_000) }),
  (c) => c.transfer(1, { unread: 'text' }),
  (c) => c.transfer(1, { unread: new Uint8Array(2 ** 20 + 1) }),
];

const codeOf = (error) => error.code ?? error.name;

export default async ({ number, generation, data: { tls, seed = 1, stuck = false } }) => {
  // A thread that is never ready again.
  if (stuck && generation > 0) await new Promise((resolve) => setTimeout(resolve, 60_000));
  const seen = [];

  /** What comes behind the command is the other thread's, or goes on here. */
  async function go(connection, to, rest) {
    const options = { data: { log: connection.data.log }, unread: Buffer.from(rest) };
    try {
      await connection.transfer(Number(to), options);
    } catch (error) {
      connection.write(`${codeOf(error)}\n`);
      await feed(connection, rest);
    }
  }

  async function feed(connection, text) {
    const end = text.indexOf('\n');
    if (end < 0) {
      connection.data.rest = text;
      return;
    }
    const rest = text.slice(end + 1);
    const [what, to] = text.slice(0, end).split(' ');
    switch (what) {
      case 'to':
        return go(connection, to, rest);
      case 'flood': {
        connection.write(Buffer.alloc(8_000_000, 'f'));
        const going = go(connection, to, rest);
        try {
          connection.write('too late');
        } catch (error) {
          seen.push(codeOf(error));
        }
        return going;
      }
      case 'twice': {
        const going = go(connection, to, rest);
        seen.push(await connection.transfer(Number(to)).then(() => 'ok', codeOf));
        return going;
      }
      case 'ends': {
        const going = connection.transfer(Number(to)).then(() => 'ok', codeOf);
        connection.end();
        seen.push(await going);
        return undefined;
      }
      case 'tries': {
        const codes = [];
        for (const each of TRIES) codes.push(await each(connection).then(() => 'ok', codeOf));
        connection.write(`${codes.join(' ')}\n`);
        break;
      }
      case 'crash':
        setImmediate(() => process.exit(1));
        break;
      case 'seen':
        connection.write(`seen ${seen.join(' ')}\n`);
        break;
      default:
        connection.write(`${number}: ${connection.data.log.join(' ')}\n`);
        break;
    }
    return feed(connection, rest);
  }

  const commands = {
    host: '127.0.0.1',
    port: 0,
    connectionData: () => ({ log: [`made-${number}`], rest: '' }),
    open: ({ data }) => data.log.push(`open-${number}`),
    transferred({ data }, told) {
      data.log.unshift(...told.log);
      data.log.push(`came-${number}`);
    },
    data(connection, chunk) {
      const text = connection.data.rest + chunk;
      connection.data.rest = '';
      return feed(connection, text);
    },
    close: () => seen.push('closed'),
  };

  const random = generator(seed + number);
  const echo = {
    host: '127.0.0.1',
    port: 0,
    data(connection, chunk) {
      const roll = random();
      if (roll < 0.25) {
        const cut = Math.floor(random() * chunk.length);
        if (cut > 0) connection.write(chunk.bytes.subarray(0, cut));
        const to = Math.floor(random() * 2);
        const unread = chunk.bytes.slice(cut);
        connection.transfer(to, { unread }).catch((error) => {
          if (error.code !== 'ERR_RINGPOLL_CONNECTION_CLOSED') throw error;
        });
      } else if (!connection.write(chunk)) {
        connection.pause();
      }
    },
    drain: (connection) => connection.resume(),
  };
  return [commands, echo, { ...commands, ...(tls === undefined ? {} : { tls }) }];
};
