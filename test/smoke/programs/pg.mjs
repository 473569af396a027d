// node-postgres and a PostgreSQL server, plain and with TLS, which begins within a connection.
import pg from 'pg';
import { digest, failure, say } from './say.mjs';

const port = Number(process.env.SMOKE_POSTGRES);
const settings = { host: '127.0.0.1', port, user: 'smoke', database: 'postgres' };

async function queries(ssl) {
  const kind = ssl ? 'tls' : 'plain';
  const pool = new pg.Pool({ ...settings, ssl, max: 4 });
  const many = Array.from({ length: 200 }, (_, i) => pool.query('SELECT $1::int AS n', [i]));
  const sum = (await Promise.all(many)).reduce((total, { rows: [{ n }] }) => total + n, 0);
  say(`${kind} sum`, sum);
  const client = await pool.connect();
  say(`${kind} encrypted`, client.connection.stream.encrypted === true);
  await client.query('CREATE TEMP TABLE t (id int PRIMARY KEY, body bytea)');
  const body = Buffer.alloc(3_000_000, 'ringpoll');
  await client.query('BEGIN');
  await client.query('INSERT INTO t VALUES (1, $1), (2, $2)', [body, Buffer.alloc(0)]);
  await client.query('COMMIT');
  const { rows } = await client.query('SELECT * FROM t ORDER BY id');
  say(
    `${kind} rows`,
    rows.map(({ id, body }) => [id, body.length, digest(body)]),
  );
  say(`${kind} syntax`, await failure(client.query('SELEKT')));
  say(`${kind} duplicate`, await failure(client.query('INSERT INTO t VALUES (1, NULL)')));
  const heard = new Promise((resolve) => client.once('notification', resolve));
  await client.query('LISTEN news');
  await pool.query("NOTIFY news, 'hello'");
  say(`${kind} notification`, (await heard).payload);
  client.release();
  await pool.end();
}

await queries(false);
await queries({ rejectUnauthorized: false });

const victim = new pg.Client(settings);
await victim.connect();
const [error] = await Promise.all([
  new Promise((resolve) => victim.once('error', resolve)),
  victim
    .query('SELECT pg_terminate_backend(pg_backend_pid())')
    .catch(({ code }) => say('killed', code)),
]);
say('error after that', error.code ?? error.message);
await victim.end().catch(() => {});
say('nobody listens', await failure(new pg.Client({ ...settings, port: 1 }).connect()));
