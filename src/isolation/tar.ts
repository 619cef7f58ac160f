/** A tar archive (POSIX ustar) of one small file. */
export function tarOf(name: string, content: string): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, "utf8");
  for (const [at, value] of [
    [100, "0000644\0"],
    [108, "0000000\0"],
    [116, "0000000\0"],
    [124, `${bytes.length.toString(8).padStart(11, "0")}\0`],
    [136, "00000000000\0"],
    // The checksum counts itself as blanks.
    [148, " ".repeat(8)],
    [156, "0"],
    [257, "ustar\x0000"],
  ] as const)
    header.write(value, at, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, bytes, padding, Buffer.alloc(2 * BLOCK)]);
}

const BLOCK = 512;
