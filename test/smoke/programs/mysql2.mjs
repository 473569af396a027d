// mysql2 and a MariaDB server, plain and with TLS.
import mysql from 'mysql2/promise';
import { digest, failure, say } from './say.mjs';

const port = Number(process.env.SMOKE_MARIADB);
const settings = { host: '127.0.0.1', port, user: 'smoke', password: 'secret', database: 'test' };

async function queries(ssl) {
  const kind = ssl ? 'tls' : 'plain';
  const pool = mysql.createPool({ ...settings, ssl, connectionLimit: 4 });
  const many = Array.from({ length: 200 }, (_, i) => pool.query('SELECT ? AS n', [i]));
  const sum = (await Promise.all(many)).reduce((total, [[{ n }]]) => total + Number(n), 0);
  say(`${kind} sum`, sum);
  const connection = await pool.getConnection();
  const [[{ Value: cipher }]] = await connection.query("SHOW STATUS LIKE 'Ssl_cipher'");
  say(`${kind} encrypted`, cipher !== '');
  await connection.query('CREATE TEMPORARY TABLE t (id int PRIMARY KEY, body longblob)');
  const body = Buffer.alloc(3_000_000, 'ringpoll');
  await connection.beginTransaction();
  await connection.execute('INSERT INTO t VALUES (?, ?)', [1, body]);
  await connection.commit();
  const [rows] = await connection.query('SELECT * FROM t');
  say(
    `${kind} rows`,
    rows.map(({ id, body }) => [id, body.length, digest(body)]),
  );
  say(`${kind} syntax`, await failure(connection.query('SELEKT')));
  let streamed = 0;
  const stream = connection.connection.query('SELECT seq FROM seq_1_to_5000').stream();
  for await (const { seq } of stream) streamed += Number(seq);
  say(`${kind} streamed`, streamed);
  connection.release();
  await pool.end();
}

await queries(undefined);
await queries({ rejectUnauthorized: false });
say('wrong password', await failure(mysql.createConnection({ ...settings, password: 'no' })));
say('nobody listens', await failure(mysql.createConnection({ ...settings, port: 1 })));
