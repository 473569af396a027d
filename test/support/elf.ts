// The little of ELF that tells what a shared object offers and needs (64 bit, little endian).
import { readFileSync } from 'node:fs';

const SECTION = {
  notes: 7,
  dynamic: 6,
  dynamicSymbols: 11,
  versionNeeds: 0x6ffffffe,
  versions: 0x6fffffff,
};
const TAG = { needed: 1, flags: 30, flags1: 0x6ffffffb };
const FLAG_BIND_NOW = 0x8;
const FLAG1_NOW = 0x1;
const UNDEFINED_SECTION = 0;
const LOCAL_BINDING = 0;
const VERSION_INDEX_MASK = 0x7fff;
const SYMBOL_BYTES = 24;
const DYNAMIC_BYTES = 16;

interface Section {
  type: number;
  link: number;
  address: bigint;
  data: Buffer;
}

export interface NeededSymbol {
  name: string;
  /** Such as GLIBC_2.17; undefined for what the `node` executable brings. */
  version: string | undefined;
}

export interface SharedObject {
  exported: string[];
  needed: NeededSymbol[];
  libraries: string[];
  /** Whether the loader must resolve every symbol at once. */
  bindNow: boolean;
}

function readSections(file: Buffer): Section[] {
  const offset = Number(file.readBigUInt64LE(0x28));
  const bytes = file.readUInt16LE(0x3a);
  const count = file.readUInt16LE(0x3c);
  return Array.from({ length: count }, (_, index) => {
    const header = file.subarray(offset + index * bytes);
    const start = Number(header.readBigUInt64LE(0x18));
    const size = Number(header.readBigUInt64LE(0x20));
    const type = header.readUInt32LE(4);
    const address = header.readBigUInt64LE(0x10);
    const data = file.subarray(start, start + size);
    return { type, link: header.readUInt32LE(0x28), address, data };
  });
}

function text(strings: Buffer, offset: number): string {
  return strings.toString('latin1', offset, strings.indexOf(0, offset));
}

/** The version's name by its index in the symbols' version table. */
function readVersionNeeds(section: Section | undefined, sections: Section[]): Map<number, string> {
  const names = new Map<number, string>();
  if (!section) return names;
  const { data, link } = section;
  const strings = sections[link].data;
  for (let need = 0, more = true; more; ) {
    for (let aux = need + data.readUInt32LE(need + 8), last = false; !last; ) {
      const index = data.readUInt16LE(aux + 6) & VERSION_INDEX_MASK;
      names.set(index, text(strings, data.readUInt32LE(aux + 8)));
      const next = data.readUInt32LE(aux + 12);
      aux += next;
      last = next === 0;
    }
    const next = data.readUInt32LE(need + 12);
    need += next;
    more = next !== 0;
  }
  return names;
}

function readElf(path: string): Buffer {
  const file = readFileSync(path);
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error(`${path} is not a 64-bit little-endian ELF file`);
  }
  return file;
}

export interface Probe {
  provider: string;
  name: string;
  /** Such as -8@%rax. */
  arguments: string[];
  /** What the processor finds there. */
  instruction: 'nop' | 'other';
  /** The address of a counter that whoever attaches has to raise; 0: there is none. */
  semaphore: bigint;
}

const PROBE_OWNER = 'stapsdt';
const PROBE_TYPE = 3;
const MACHINE_X64 = 62;

/** Static tracepoints, from the notes that stand for them. */
export function readProbes(path: string): Probe[] {
  const file = readElf(path);
  const sections = readSections(file);
  const isX64 = file.readUInt16LE(0x12) === MACHINE_X64;
  const isNop = (address: bigint) => {
    const within = sections.find(
      (each) => address >= each.address && address < each.address + BigInt(each.data.length),
    );
    if (within === undefined || within.address === 0n) return false;
    const at = Number(address - within.address);
    return isX64 ? within.data[at] === 0x90 : within.data.readUInt32LE(at) === 0xd503201f;
  };
  const probes: Probe[] = [];
  for (const { type, data } of sections) {
    if (type !== SECTION.notes) continue;
    for (let at = 0; at + 12 <= data.length; ) {
      const [ownerBytes, bytes, kind] = [0, 4, 8].map((offset) => data.readUInt32LE(at + offset));
      const owner = data.toString('latin1', at + 12, at + 12 + ownerBytes - 1);
      const content = at + 12 + padded(ownerBytes);
      at = content + padded(bytes);
      if (owner !== PROBE_OWNER || kind !== PROBE_TYPE) continue;
      const words = data.toString('latin1', content + 24, content + bytes).split('\0');
      const [provider, name, places] = words;
      probes.push({
        provider,
        name,
        arguments: places.split(/ (?=-?\d+@)/),
        instruction: isNop(data.readBigUInt64LE(content)) ? 'nop' : 'other',
        semaphore: data.readBigUInt64LE(content + 16),
      });
    }
  }
  return probes;
}

const padded = (bytes: number) => (bytes + 3) & ~3;

export function readSharedObject(path: string): SharedObject {
  const file = readElf(path);
  const sections = readSections(file);
  const byType = (type: number) => sections.find((section) => section.type === type);
  const symbols = byType(SECTION.dynamicSymbols);
  const dynamic = byType(SECTION.dynamic);
  if (!symbols || !dynamic) throw new Error(`${path} has no dynamic section`);
  const versions = byType(SECTION.versions)?.data;
  const versionNames = readVersionNeeds(byType(SECTION.versionNeeds), sections);
  const object: SharedObject = { exported: [], needed: [], libraries: [], bindNow: false };

  const symbolNames = sections[symbols.link].data;
  for (let at = SYMBOL_BYTES; at < symbols.data.length; at += SYMBOL_BYTES) {
    const name = text(symbolNames, symbols.data.readUInt32LE(at));
    const binding = symbols.data[at + 4] >> 4;
    if (symbols.data.readUInt16LE(at + 6) === UNDEFINED_SECTION) {
      const index = versions?.readUInt16LE((at / SYMBOL_BYTES) * 2) ?? 0;
      object.needed.push({ name, version: versionNames.get(index & VERSION_INDEX_MASK) });
    } else if (binding !== LOCAL_BINDING) {
      object.exported.push(name);
    }
  }

  const libraryNames = sections[dynamic.link].data;
  for (let at = 0; at < dynamic.data.length; at += DYNAMIC_BYTES) {
    const tag = Number(dynamic.data.readBigInt64LE(at));
    const value = Number(dynamic.data.readBigUInt64LE(at + 8));
    if (tag === TAG.needed) object.libraries.push(text(libraryNames, value));
    if (tag === TAG.flags && value & FLAG_BIND_NOW) object.bindNow = true;
    if (tag === TAG.flags1 && value & FLAG1_NOW) object.bindNow = true;
  }
  return object;
}
