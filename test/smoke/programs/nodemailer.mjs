// nodemailer sends, smtp-server receives: plain, with STARTTLS, and with TLS from the beginning.
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { closed, digest, failure, say } from './say.mjs';

const tls = { cert: process.env.SMOKE_CERT, key: process.env.SMOKE_KEY };

async function mail(kind, options, client) {
  const received = [];
  const server = new SMTPServer({
    ...options,
    ...tls,
    logger: false,
    onAuth: ({ username, password }, _, done) =>
      password === 'secret' ? done(null, { user: username }) : done(new Error('no')),
    onData(stream, { envelope }, done) {
      const chunks = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const body = text.slice(text.indexOf('\r\n\r\n'));
        const attached = /base64\r\n.*?\r\n\r\n(.*?)--/s.exec(body)?.[1] ?? '';
        received.push([envelope.rcptTo.map(({ address }) => address), digest(attached)]);
        done();
      });
    },
  });
  server.on('error', () => {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address();
  const base = { host: '127.0.0.1', port, tls: { rejectUnauthorized: false }, ...client };
  const auth = { user: 'me', pass: 'secret' };
  const transport = nodemailer.createTransport({ ...base, auth, pool: true });
  const message = (to) => ({
    from: 'me@example.org',
    to,
    subject: 'hello',
    text: 'hello',
    attachments: [{ filename: 'a.bin', content: Buffer.alloc(500_000, 'ringpoll') }],
  });
  const sent = ['a@example.org', 'b@example.org', 'c@example.org'].map((to) =>
    transport.sendMail(message(to)),
  );
  const responses = (await Promise.all(sent)).map(({ response }) => response.slice(0, 3));
  say(`${kind} responses`, responses);
  say(`${kind} received`, received.map(String).sort());
  transport.close();
  const wrong = nodemailer.createTransport({ ...base, auth: { user: 'me', pass: 'no' } });
  say(`${kind} wrong password`, await failure(wrong.sendMail(message('a@example.org'))));
  wrong.close();
  await closed(server);
}

await mail('plain', { disabledCommands: ['STARTTLS'] }, { ignoreTLS: true });
await mail('starttls', {}, { requireTLS: true });
await mail('tls', { secure: true }, { secure: true });
