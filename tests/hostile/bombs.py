"""Compressed data that costs a lot to decompress for its size, hand-made because no compressor would produce it. Sends
nothing.
"""


def filled(pattern: bytes, size: int) -> bytes:
    """The pattern repeated, up to at most `size` bytes."""
    return pattern * (size // len(pattern))


def incompressible(size: int) -> bytes:
    """Bytes that no encoding makes smaller, the same each time."""
    value, found = 1, bytearray()
    while len(found) < size:
        value = value * 6364136223846793005 % 2**64 + 1442695040888963407
        found += (value % 2**64).to_bytes(8, "little")
    return bytes(found[:size])


class Bits:
    """Bits as packed by deflate and Brotli, lowest first."""

    def __init__(self) -> None:
        self._value = self._count = 0
        self._done = bytearray()

    def put(self, *pairs: tuple[int, int]) -> None:
        """Adds values, each with its number of bits."""
        for value, count in pairs:
            self._value |= value << self._count
            self._count += count
        while self._count >= 8:
            self._done.append(self._value & 255)
            self._value >>= 8
            self._count -= 8

    def filled(self, size: int) -> bytes:
        """The bits repeated; only a whole number of bytes can be repeated."""
        assert self._count == 0
        return filled(bytes(self._done), size)


def deflate_tables(size: int) -> bytes:
    """Blocks of nothing but Huffman tables (RFC 1951, 3.2.7): 15 bytes in, none out, half a microsecond each."""
    bits = Bits()
    for _ in range(8):  # eight blocks are a whole number of bytes
        _deflate_block(bits)
    return bits.filled(size)


def _deflate_block(bits: Bits) -> None:
    # Not the last block, dynamic; 257 literal codes, 1 distance code, 18 code length codes.
    bits.put((0, 1), (2, 2), (0, 5), (0, 5), (14, 4))
    order = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1)
    bits.put(*((1 if symbol in (1, 18) else 0, 3) for symbol in order))
    one, zeros = 0, 1  # by RFC 1951 the lower symbol has the lower code
    # Literal 0 has length 1, then 255 zeros, the end of the block has length 1, then the distance code.
    bits.put((one, 1), (zeros, 1), (138 - 11, 7), (zeros, 1), (117 - 11, 7), (one, 1), (one, 1))
    bits.put((1, 1))  # the end of the block


def brotli_maps(size: int) -> bytes:
    """Blocks of a letter under a map of 16,384 contexts (RFC 7932, 7.3): 82 bytes in, 40 microseconds each."""
    bits = Bits()
    for _ in range(8):
        _brotli_block(bits)
    return brotli_start() + bits.filled(size - 1)


def brotli_start() -> bytes:
    """A window of 16 bits, and an empty block of metadata that ends at a byte."""
    bits = Bits()
    bits.put((0, 1), (0, 1), (3, 2), (0, 1), (0, 2), (0, 1))
    return bits.filled(1)


def _brotli_block(bits: Bits) -> None:
    def one_code(symbol: int, width: int) -> None:
        bits.put((1, 2), (0, 2), (symbol, width))

    bits.put((0, 1), (0, 2), (0, 16), (0, 1))  # not the last, one byte, compressed
    bits.put((1, 1), (7, 3), (127, 7))  # 256 types of literal blocks
    one_code(0, 9)
    one_code(0, 5)
    bits.put((0, 2), (0, 1), (0, 1), (0, 2), (0, 4))  # one type of the others, no postfix, no direct distances
    bits.put(*((0, 2) for _ in range(256)))
    bits.put((1, 1), (0, 3), (1, 1), (15, 4))  # two trees; runs of zeros
    one_code(14, 5)
    bits.put((0, 14), (1, 1))  # one run of 16,384 zeros, to be moved to the front
    bits.put((0, 1))
    one_code(97, 8)
    one_code(97, 8)
    one_code(8, 10)
    one_code(0, 6)


def zstd_window(bits: int, blocks: int) -> bytes:
    """A frame (RFC 8878, 3.1.1) with a window of 2**bits bytes, and blocks of 128 KiB of one byte."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0, (bits - 10) << 3])
    block = ((128 * 1024) << 3 | 1 << 1).to_bytes(3, "little") + b"\n"
    return head + block * blocks + (1).to_bytes(3, "little")
