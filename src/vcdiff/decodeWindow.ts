import { AddressCache } from './addressCache.ts';
import { CODE_TABLE, ENTRY_SIZE } from './codeTable.ts';
import { Fields, malformed } from './decodeHeader.ts';
import type { WindowHeader } from './decodeHeader.ts';
import { ADDRESS_LIMIT, INSTRUCTION, MODE } from './format.ts';

/** The source: the content that a delta copies from. */
export interface VcdiffSource {
  /** Fills `into` with the bytes from `position` on. Throws if the source ends earlier. */
  read(into: Uint8Array, position: number): void;
}

/** Is told where the bytes of a window's target come from, in their order. */
export interface SpanObserver {
  /** `size` bytes, copied from `position` of the source. */
  copied(size: number, position: number): void;
  /** `size` bytes that the delta brings. */
  added(size: number): void;
  /** `size` bytes that are a repetition: of one byte, or of an earlier part of the target. */
  repeated(size: number): void;
  /** The instructions and addresses of a window, before its spans. Valid during the call. */
  encoded(bytes: Uint8Array): void;
}

/** For fewer bytes a loop is faster than a call of a copying function. */
const SHORT = 32;

/** Decodes one window after another. */
export class WindowDecoder {
  readonly #source: VcdiffSource;
  readonly #observer: SpanObserver | undefined;
  readonly #cache = new AddressCache();
  #header!: WindowHeader;
  #data!: Fields;
  #addresses!: Fields;
  #target: Uint8Array = new Uint8Array(0);
  #written = 0;

  constructor(source: VcdiffSource, observer?: SpanObserver) {
    this.#source = source;
    this.#observer = observer;
  }

  /**
   * The target of a window, valid until the next call. `sections` are its data, instructions and
   * addresses, one after another.
   */
  decode(header: WindowHeader, sections: Uint8Array): Uint8Array {
    const instructions = this.#begin(header, sections);
    while (instructions.position < instructions.end) {
      const entry = instructions.byte() * ENTRY_SIZE;
      this.#carryOut(entry, instructions);
      if (CODE_TABLE[entry + 3] !== INSTRUCTION.noop) this.#carryOut(entry + 3, instructions);
    }
    this.#data.expectEnd();
    this.#addresses.expectEnd();
    if (this.#written !== header.targetLength) {
      throw malformed(`a window makes ${this.#written} bytes, expected ${header.targetLength}`);
    }
    return this.#target.subarray(0, this.#written);
  }

  #begin(header: WindowHeader, sections: Uint8Array): Fields {
    const { dataLength, instructionLength } = header;
    const addressStart = dataLength + instructionLength;
    this.#header = header;
    this.#observer?.encoded(sections.subarray(dataLength));
    this.#data = new Fields(sections, 0, dataLength, 'data');
    this.#addresses = new Fields(sections, addressStart, sections.length, 'addresses');
    this.#cache.reset();
    this.#written = 0;
    if (this.#target.length < header.targetLength) this.#target = new Uint8Array(header.targetLength);
    return new Fields(sections, dataLength, addressStart, 'instructions');
  }

  /** Carries out one of the two instructions of an opcode. */
  #carryOut(half: number, instructions: Fields): void {
    const type = CODE_TABLE[half]!;
    const size = CODE_TABLE[half + 1]! || instructions.number(ADDRESS_LIMIT);
    const start = this.#written;
    if (size > this.#header.targetLength - start) throw malformed('a window makes more bytes than it says');
    if (type === INSTRUCTION.copy) this.#copy(CODE_TABLE[half + 2]!, size);
    else if (type === INSTRUCTION.add) this.#add(size);
    else this.#run(start, size);
    this.#written = start + size;
  }

  #run(start: number, size: number): void {
    this.#target.fill(this.#data.byte(), start, start + size);
    this.#observer?.repeated(size);
  }

  #add(size: number): void {
    this.#observer?.added(size);
    const from = this.#data.skip(size);
    const { bytes } = this.#data;
    const to = this.#written;
    if (size < SHORT) for (let i = 0; i < size; i++) this.#target[to + i] = bytes[from + i]!;
    else this.#target.set(bytes.subarray(from, from + size), to);
  }

  #copy(mode: number, size: number): void {
    const { segmentLength, segmentOffset } = this.#header;
    const address = this.#address(mode, segmentLength + this.#written);
    if (address >= segmentLength) {
      this.#repeat(address - segmentLength, size);
      this.#observer?.repeated(size);
      return;
    }
    if (address + size > segmentLength) throw malformed('a copy leaves its source segment');
    const position = segmentOffset + address;
    this.#source.read(this.#target.subarray(this.#written, this.#written + size), position);
    this.#observer?.copied(size, position);
  }

  #address(mode: number, here: number): number {
    const address = this.#readAddress(mode, here);
    if (address < 0 || address >= here) throw malformed(`it copies from address ${address} at ${here}`);
    this.#cache.update(address);
    return address;
  }

  #readAddress(mode: number, here: number): number {
    const addresses = this.#addresses;
    if (mode === MODE.self) return addresses.number(ADDRESS_LIMIT);
    if (mode === MODE.here) return here - addresses.number(ADDRESS_LIMIT);
    if (mode < MODE.same) return this.#cache.near[mode - MODE.near]! + addresses.number(ADDRESS_LIMIT);
    return this.#cache.same[(mode - MODE.same) * 256 + addresses.byte()]!;
  }

  /** Copies from the window's own output. If the parts overlap, the bytes in between repeat. */
  #repeat(from: number, size: number): void {
    const target = this.#target;
    const to = this.#written;
    if (size < SHORT) {
      for (let i = 0; i < size; i++) target[to + i] = target[from + i]!;
      return;
    }
    // What was copied can be copied again: the piece doubles until it is complete.
    for (let done = 0; done < size;) {
      const piece = Math.min(to + done - from, size - done);
      target.copyWithin(to + done, from, from + piece);
      done += piece;
    }
  }
}
