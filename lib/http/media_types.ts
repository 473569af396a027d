// The media type of a file, by the end of its name.
const TEXT = '; charset=utf-8';

const TYPES: Record<string, string> = {
  aac: 'audio/aac',
  apng: 'image/apng',
  avif: 'image/avif',
  bin: 'application/octet-stream',
  bmp: 'image/bmp',
  bz2: 'application/x-bzip2',
  css: `text/css${TEXT}`,
  csv: `text/csv${TEXT}`,
  epub: 'application/epub+zip',
  flac: 'audio/flac',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: `text/html${TEXT}`,
  html: `text/html${TEXT}`,
  ico: 'image/vnd.microsoft.icon',
  ics: `text/calendar${TEXT}`,
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: `text/javascript${TEXT}`,
  json: 'application/json',
  jsonld: 'application/ld+json',
  m4a: 'audio/mp4',
  map: 'application/json',
  md: `text/markdown${TEXT}`,
  mjs: `text/javascript${TEXT}`,
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  mpeg: 'video/mpeg',
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
  ogv: 'video/ogg',
  opus: 'audio/ogg',
  otf: 'font/otf',
  pdf: 'application/pdf',
  png: 'image/png',
  rtf: 'application/rtf',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  ttf: 'font/ttf',
  txt: `text/plain${TEXT}`,
  vtt: `text/vtt${TEXT}`,
  wasm: 'application/wasm',
  wav: 'audio/wav',
  weba: 'audio/webm',
  webm: 'video/webm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
  xhtml: 'application/xhtml+xml',
  xml: 'application/xml',
  zip: 'application/zip',
  zst: 'application/zstd',
};

const BY_SUFFIX = new Map(Object.entries(TYPES));

export function mediaType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const suffix = dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
  return BY_SUFFIX.get(suffix) ?? 'application/octet-stream';
}
