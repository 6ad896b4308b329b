/** Small executables that stand for the real one where only its outside matters. */

const LOAD_ADDRESS = 0x400000;
const HEADERS = 64 + 56;

/** What each machine says at byte 18 of an ELF file, and its code for write(1, message), exit(0). */
const MACHINES = {
  x86_64: { elf: 62, code: intelCode },
  aarch64: { elf: 183, code: armCode },
};

export type Machine = keyof typeof MACHINES;

/** A Linux executable that prints `text` and a line feed, whatever it is asked. */
export function stub(text: string, machine: Machine = Deno.build.arch): Uint8Array<ArrayBuffer> {
  const message = new TextEncoder().encode(`${text}\n`);
  const { elf, code } = MACHINES[machine];
  const instructions = code(message.length);
  const size = HEADERS + instructions.length + message.length;
  const file = new Uint8Array(size);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const view = new DataView(file.buffer);
  const put16 = (at: number, value: number) => view.setUint16(at, value, true);
  const put32 = (at: number, value: number) => view.setUint32(at, value, true);
  const put64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  put16(16, 2); // a program with fixed addresses
  put16(18, elf);
  put32(20, 1);
  put64(24, LOAD_ADDRESS + HEADERS); // where it begins
  put64(32, 64); // where the program header is
  put16(52, 64);
  put16(54, 56);
  put16(56, 1);
  put32(64, 1); // to be loaded
  put32(68, 5); // to be read and executed
  put64(80, LOAD_ADDRESS);
  put64(88, LOAD_ADDRESS);
  put64(96, size);
  put64(104, size);
  put64(112, 0x10000);
  file.set(instructions, HEADERS);
  file.set(message, HEADERS + instructions.length);
  return file;
}

/** The first bytes of an executable for macOS on arm64. */
export const MACH_O = new Uint8Array([0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1, ...Array(24).fill(0)]);

function intelCode(length: number): Uint8Array {
  return new Uint8Array([
    ...[0xb8, 1, 0, 0, 0], // mov eax, 1
    ...[0xbf, 1, 0, 0, 0], // mov edi, 1
    ...[0x48, 0x8d, 0x35, 16, 0, 0, 0], // lea rsi, [rip + 16]
    ...[0xba, length, 0, 0, 0], // mov edx, length
    ...[0x0f, 0x05], // syscall
    ...[0xb8, 60, 0, 0, 0], // mov eax, 60
    ...[0x31, 0xff], // xor edi, edi
    ...[0x0f, 0x05], // syscall
  ]);
}

function armCode(length: number): Uint8Array {
  const words = [
    0xd2800020, // mov x0, 1
    0x100000e1, // adr x1, 28
    (0xd2800002 | length << 5) >>> 0, // mov x2, length
    0xd2800808, // mov x8, 64
    0xd4000001, // svc 0
    0xd2800000, // mov x0, 0
    0xd2800ba8, // mov x8, 93
    0xd4000001, // svc 0
  ];
  const code = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, index) => code.setUint32(index * 4, word, true));
  return new Uint8Array(code.buffer);
}
