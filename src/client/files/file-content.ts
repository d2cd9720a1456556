/*
 * What a file is by its first bytes. Where a role names types, a file is allowed by its ending and by its content: a
 * program that is called `invoice.pdf` is none of them.
 */
import { fileEnding } from './file-name.js';

/** As much of a file as is looked at. */
export const CONTENT_HEAD_BYTES = 4_096;

interface Kind {
  /** The bytes, as characters of one byte each, and where they stand. */
  readonly magic: string;
  readonly at?: number;
  readonly endings: readonly string[];
}

/** From the formats' own specifications. Some endings have several kinds. */
const KINDS: readonly Kind[] = [
  { magic: '%PDF-', endings: ['.pdf'] },
  // Compound files, [MS-CFB] 2.2.
  {
    magic: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1',
    endings: ['.doc', '.xls', '.ppt', '.msg', '.vsd', '.dot', '.xlt', '.pot'],
  },
  // ZIP (APPNOTE 4.3.7) and what is kept in one; an empty archive begins with its end.
  {
    magic: 'PK\x03\x04',
    endings: [
      ...['.zip', '.docx', '.xlsx', '.pptx', '.odt', '.ods', '.odp', '.epub', '.jar', '.apk'],
    ],
  },
  { magic: 'PK\x05\x06', endings: ['.zip', '.jar'] },
  { magic: '\x89PNG\r\n\x1a\n', endings: ['.png'] },
  { magic: '\xff\xd8\xff', endings: ['.jpg', '.jpeg'] },
  { magic: 'GIF87a', endings: ['.gif'] },
  { magic: 'GIF89a', endings: ['.gif'] },
  { magic: 'WEBP', at: 8, endings: ['.webp'] },
  { magic: 'WAVE', at: 8, endings: ['.wav'] },
  { magic: 'AVI ', at: 8, endings: ['.avi'] },
  { magic: 'II*\0', endings: ['.tif', '.tiff'] },
  { magic: 'MM\0*', endings: ['.tif', '.tiff'] },
  { magic: 'BM', endings: ['.bmp'] },
  { magic: 'ftyp', at: 4, endings: ['.mp4', '.m4a', '.m4v', '.mov', '.heic', '.avif'] },
  { magic: '\x1a\x45\xdf\xa3', endings: ['.mkv', '.webm'] },
  { magic: 'OggS', endings: ['.ogg', '.opus', '.oga', '.ogv'] },
  { magic: 'fLaC', endings: ['.flac'] },
  { magic: 'ID3', endings: ['.mp3'] },
  { magic: '\xff\xfb', endings: ['.mp3'] },
  { magic: '\xff\xf3', endings: ['.mp3'] },
  { magic: '{\\rtf', endings: ['.rtf'] },
  { magic: '\x1f\x8b', endings: ['.gz', '.tgz'] },
  { magic: "7z\xbc\xaf'\x1c", endings: ['.7z'] },
  { magic: '\xfd7zXZ\0', endings: ['.xz'] },
  { magic: 'Rar!\x1a\x07', endings: ['.rar'] },
  // Programs: PE, ELF, Mach-O, a script.
  { magic: 'MZ', endings: ['.exe', '.dll', '.sys', '.scr', '.com'] },
  { magic: '\x7fELF', endings: ['.so', '.elf'] },
  { magic: '\xcf\xfa\xed\xfe', endings: ['.dylib'] },
  { magic: '\xca\xfe\xba\xbe', endings: ['.class', '.dylib'] },
  { magic: '#!', endings: ['.sh', '.py', '.pl', '.rb'] },
];

const TEXT = new Set([
  ...['.txt', '.md', '.csv', '.tsv', '.log', '.json', '.xml', '.yaml', '.yml', '.html', '.htm'],
  ...['.css', '.js', '.ts', '.svg', '.ini', '.conf', '.sh', '.py', '.pl', '.rb', '.asc', '.pem'],
]);
const WITH_MAGIC = new Set(KINDS.flatMap(({ endings }) => endings));

/** Whether the first bytes of a file, at most CONTENT_HEAD_BYTES of them, are what the ending of its name says. */
export function isContentOf(name: string, head: Uint8Array): boolean {
  const ending = fileEnding(name);
  const kinds = KINDS.filter((kind) => begins(head, kind));
  if (kinds.some(({ endings }) => endings.includes(ending))) return true;
  // What is something else by its first bytes is not what its name says, also where nothing is known of that ending.
  if (kinds.some(({ magic }) => magic.length > 2) || isProgram(kinds)) return false;
  if (TEXT.has(ending)) return isText(head);
  return !WITH_MAGIC.has(ending);
}

/** Two letters begin many a text; these two kinds are worth a mistake in that direction. */
const isProgram = (kinds: readonly Kind[]): boolean =>
  kinds.some(({ magic }) => magic === 'MZ' || magic === '#!');

function begins(head: Uint8Array, { magic, at = 0 }: Kind): boolean {
  if (head.length < at + magic.length) return false;
  for (let i = 0; i < magic.length; i++) if (head[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** No control characters but tab, line ends, form feed and escape; or UTF-16 with its mark. In whatever alphabet. */
function isText(head: Uint8Array): boolean {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return head.every((byte) =>
    byte >= 32 ? byte !== 127 : (byte >= 9 && byte <= 13) || byte === 27,
  );
}
