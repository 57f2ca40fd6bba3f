"""A recording as the server reads them: G.722 at 64 kbit/s without a header, of a tone, made by libspandsp itself."""
import array
import ctypes
import math

RATE = 16000


def recording(hertz, seconds):
    library = ctypes.CDLL("libspandsp.so.2")
    library.g722_encode_init.restype = ctypes.c_void_p
    library.g722_encode_init.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    library.g722_encode.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
    library.g722_encode_free.argtypes = [ctypes.c_void_p]
    samples = array.array("h", (int(9000 * math.sin(2 * math.pi * hertz / RATE * n)) for n in range(RATE * seconds)))
    out = ctypes.create_string_buffer(len(samples) // 2)
    state = library.g722_encode_init(None, 64000, 0)
    size = library.g722_encode(state, out, samples.tobytes(), len(samples))
    library.g722_encode_free(state)
    return out.raw[:size]
