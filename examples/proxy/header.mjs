// The header by which a proxy tells the server behind it whose connection this is: the PROXY
// protocol, version 1 (a line) or 2 (binary).
// https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const VERSION_2_PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;
const IPV4_MAPPED = '::ffff:';

/** The header for an accepted connection: 1 is a line of text, 2 is binary. */
export function proxyHeader(connection, version) {
  const [from, to] = ['remote', 'local'].map((side) => ({
    address: plain(connection[`${side}Address`]),
    port: connection[`${side}Port`],
  }));
  return version === 1 ? line(from, to) : binary(from, to);
}

/** A listener on :: has IPv4 peers too, under addresses of IPv6. */
function plain(address) {
  return address.startsWith(IPV4_MAPPED) ? address.slice(IPV4_MAPPED.length) : address;
}

const isIpv6 = (address) => address.includes(':');

function line(from, to) {
  const family = isIpv6(from.address) ? 'TCP6' : 'TCP4';
  return Buffer.from(`PROXY ${family} ${from.address} ${to.address} ${from.port} ${to.port}\r\n`);
}

function binary(from, to) {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(from.port, 0);
  ports.writeUInt16BE(to.port, 2);
  const addresses = Buffer.concat([bytesOf(from.address), bytesOf(to.address), ports]);
  const head = Buffer.from([VERSION_2_PROXY, isIpv6(from.address) ? TCP6 : TCP4, 0, 0]);
  head.writeUInt16BE(addresses.length, 2);
  return Buffer.concat([SIGNATURE, head, addresses]);
}

function bytesOf(address) {
  if (!isIpv6(address)) return Buffer.from(address.split('.').map(Number));
  const [before, after = ''] = address.replace(/%.*$/, '').split('::');
  const words = (text) => (text === '' ? [] : text.split(':').map((word) => Number(`0x${word}`)));
  const [first, last] = [words(before), words(after)];
  const zeros = Array(8 - first.length - last.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, word] of [...first, ...zeros, ...last].entries()) {
    bytes.writeUInt16BE(word, 2 * index);
  }
  return bytes;
}
