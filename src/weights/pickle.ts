// A reader of Python pickles that runs nothing. It knows the opcodes that torch.save writes (protocols 2 to 4) and asks its caller what
// each global and each persistent id means; what the caller does not know is refused by name. Opcodes: Lib/pickletools.py of CPython.

/** None, truth values, numbers, text, bytes; lists and tuples as arrays, dictionaries as maps; and what the caller makes. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | ReadonlyMap<PickleValue, PickleValue>
  | Opaque;

/** A Python object that this reader does not build: its class or function, and what `resolve` had to say of it. */
export class Opaque {
  readonly name: string; // "torch._utils._rebuild_tensor_v2"
  readonly content: unknown;

  constructor(name: string, content?: unknown) {
    this.name = name;
    this.content = content;
  }
}

export type PickleOptions = {
  /** The value that stands for a class or function; throws for one that must not be there. */
  readonly findGlobal: (module: string, name: string) => PickleValue;
  /** The result of calling what findGlobal answered. */
  readonly call: (callable: PickleValue, parameters: readonly PickleValue[]) => PickleValue;
  /** The object that a persistent id means. */
  readonly findPersistent: (id: PickleValue) => PickleValue;
};

/** The pickle is damaged, or uses what this reader does not know. */
export class PickleError extends Error {}

/** The object that `bytes` describe. Throws PickleError, and what the options throw. */
export function readPickle(bytes: Uint8Array, options: PickleOptions): PickleValue {
  return new Machine(bytes, options).run();
}

const textDecoder = new TextDecoder();
const mark = Symbol('mark');
type Slot = PickleValue | typeof mark;

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: PickleOptions;
  readonly #memo = new Map<number, PickleValue>();
  readonly #stack: Slot[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
  }

  run(): PickleValue {
    for (;;) {
      const opcode = this.#take(1)[0]!;
      if (opcode === 0x2e) return this.#pop(); // STOP
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    const stack = this.#stack;
    switch (opcode) {
      case 0x80: // PROTO
        if (this.#uint8() > 4) throw new PickleError('it is a pickle of a newer protocol');
        return;
      case 0x95: // FRAME
        this.#take(8);
        return;
      case 0x28: // MARK
        stack.push(mark);
        return;
      case 0x30: // POP
        stack.pop();
        return;
      case 0x31: // POP_MARK
        this.#popToMark();
        return;

      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(this.#dataView(4).getInt32(0, true));
      case 0x4b: // BININT1
        return this.#push(this.#uint8());
      case 0x4d: // BININT2
        return this.#push(this.#dataView(2).getUint16(0, true));
      case 0x8a: // LONG1
        return this.#push(readLong(this.#take(this.#uint8())));
      case 0x47: // BINFLOAT
        return this.#push(this.#dataView(8).getFloat64(0, false));

      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        return this.#push(this.#text(this.#uint32()));
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#text(this.#uint8()));
      case 0x42: // BINBYTES
        return this.#push(this.#take(this.#uint32()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#take(this.#uint8()));

      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return this.#push([]);
      case 0x6c: // LIST
      case 0x74: // TUPLE
        return this.#push(this.#popToMark());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(this.#popMany(opcode - 0x84));
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x61: // APPEND
        return this.#extend([this.#pop()]);
      case 0x65: // APPENDS
        return this.#extend(this.#popToMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());

      case 0x71: // BINPUT
        this.#memo.set(this.#uint8(), this.#top());
        return;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#uint32(), this.#top());
        return;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 0x68: // BINGET
        return this.#recall(this.#uint8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#uint32());

      case 0x63: // GLOBAL
        return this.#push(this.#options.findGlobal(this.#line(), this.#line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string')
          throw new PickleError('its pickle is damaged');
        return this.#push(this.#options.findGlobal(module, name));
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [callable, parameters] = this.#popMany(2);
        if (!Array.isArray(parameters))
          throw new PickleError('a call in the pickle has no list of parameters');
        return this.#push(this.#options.call(callable!, parameters as readonly PickleValue[]));
      }
      case 0x62: // BUILD sets attributes of an object: none that is built here has any
        this.#pop();
        return;
      case 0x51: // BINPERSID
        return this.#push(this.#options.findPersistent(this.#pop()));

      default:
        throw new PickleError(`its pickle holds the unknown instruction 0x${opcode.toString(16)}`);
    }
  }

  #take(size: number): Uint8Array {
    if (this.#at + size > this.#bytes.length) throw new PickleError('its pickle is cut short');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #dataView(size: number): DataView {
    this.#take(size);
    return new DataView(this.#view.buffer, this.#view.byteOffset + this.#at - size, size);
  }

  #uint8 = (): number => this.#take(1)[0]!;
  #uint32 = (): number => this.#dataView(4).getUint32(0, true);
  #text = (size: number): string => textDecoder.decode(this.#take(size));

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw new PickleError('its pickle is cut short');
    const text = this.#text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw new PickleError('its pickle is damaged');
    return value;
  }

  #popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw new PickleError('its pickle is damaged');
    const values = this.#stack.splice(at);
    return values.slice(1) as PickleValue[]; // no mark is above the last one
  }

  #top(): PickleValue {
    const value = this.#pop();
    this.#push(value);
    return value;
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new PickleError('its pickle is damaged');
    this.#push(value);
  }

  #extend(values: readonly PickleValue[]): void {
    const list = this.#top();
    if (Array.isArray(list)) for (const value of values) list.push(value);
    else if (!(list instanceof Opaque)) throw new PickleError('its pickle is damaged');
  }

  #setItems(values: readonly PickleValue[]): void {
    const table = this.#top();
    if (values.length % 2 !== 0) throw new PickleError('its pickle is damaged');
    if (table instanceof Map) {
      for (let i = 0; i < values.length; i += 2) table.set(values[i]!, values[i + 1]!);
    } else if (!(table instanceof Opaque)) throw new PickleError('its pickle is damaged');
  }
}

/** A little-endian two's complement number of any length. */
function readLong(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  value = BigInt.asIntN(8 * bytes.length, value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
